import { renderTemplate, type TemplateInput } from "./template-render.js";

process.on("message", (input: TemplateInput) => process.send?.(renderTemplate(input)));
process.on("disconnect", () => process.exit()); // whoever asked is gone
process.send?.("ready");
