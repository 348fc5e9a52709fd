import { BASE_STYLE } from "./base-style.js";

/** The page's style sheet. A bar's place comes from --value, --low and --high, in per cent. */
export const STYLE = `${BASE_STYLE}
.swatch { display: inline-block; flex: none; width: .9rem; height: .9rem; border-radius: 2px; }
.c0 { --colour: var(--c0); } .c1 { --colour: var(--c1); } .c2 { --colour: var(--c2); } .c3 { --colour: var(--c3); } .c4 { --colour: var(--c4); }
.c5 { --colour: var(--c5); } .c6 { --colour: var(--c6); } .c7 { --colour: var(--c7); } .c8 { --colour: var(--c8); } .c9 { --colour: var(--c9); }
.swatch, .fill { background-color: var(--colour); }
.swatch.card, .card .fill { background: none; border: 2px solid var(--card); }
/* Runs are striped, so that they can be told from published figures without colours. */
.swatch.run, .run .fill { background-image: repeating-linear-gradient(45deg, transparent 0 3px, rgb(255 255 255 / .35) 3px 5px); }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; list-style: none; margin: .75rem 0 0; padding: 0; font-size: .9rem; }
.legend li { display: flex; gap: .35rem; align-items: center; overflow-wrap: anywhere; }

form:not([hidden]) ~ #chart-view .legend { display: none; } /* the boxes to choose models have the same squares */

.chart { display: flex; gap: .4rem; align-items: start; }
.axis { flex: none; display: flex; flex-direction: column-reverse; justify-content: space-between; height: 19rem; margin: -.5rem 0; width: 1.6rem; text-align: right; font-size: .72rem; line-height: 1rem; color: var(--soft); }
.group { flex: 1; min-width: 0; }
.bars { display: flex; gap: 1px; height: 18rem; border-bottom: 1px solid var(--soft);
  background: repeating-linear-gradient(to top, transparent 0 calc(25% - 1px), var(--line) calc(25% - 1px) 25%); }
.bar { flex: 1; min-width: 0; height: 100%; }
.track { display: block; position: relative; height: 100%; }
.fill { position: absolute; inset: auto 0 0; height: calc(var(--value) * 1%); border-radius: 2px 2px 0 0; }
.bar:hover .fill, .bar:focus .fill { filter: brightness(1.2); }
.error { position: absolute; left: 50%; bottom: calc(var(--low) * 1%); height: calc((var(--high) - var(--low)) * 1%); width: 7px; margin-left: -3.5px;
  border: solid var(--ink); border-width: 1.5px 0; background: linear-gradient(var(--ink), var(--ink)) center / 1.5px 100% no-repeat; }
.value, .who, .about { display: none; }
.name { padding-top: .35rem; margin-right: -.35rem; font-size: .66rem; font-weight: 600; letter-spacing: -.02em; line-height: 1.3; overflow-wrap: anywhere; }
.name small { display: block; font-size: inherit; font-weight: 400; color: var(--soft); }
.single .group { display: flex; flex-direction: column; } .single .name { order: -2; padding: 0; font-size: 1rem; } .single .about { display: block; order: -1; margin: 0 0 2rem; color: var(--soft); }
.single .axis { display: none; } .single .bars { gap: 0; height: 22rem; border: 0; background: none; } .single .bar { display: flex; flex-direction: column-reverse; max-width: 12rem; }
.single .track { flex: 1; border-bottom: 1px solid var(--soft); background: repeating-linear-gradient(to top, transparent 0 calc(25% - 1px), var(--line) calc(25% - 1px) 25%); }
.single .fill { inset: auto 15% 0; } .single .who { display: block; height: 3rem; padding: .35rem .25rem 0; font-size: .8rem; line-height: 1.2; text-align: center; overflow: hidden; overflow-wrap: anywhere; }
.single .value { display: block; position: absolute; left: 0; right: 0; bottom: calc(var(--high) * 1%); text-align: center; }
#tip { position: absolute; z-index: 2; max-width: min(22rem, calc(100vw - 16px)); padding: .5rem .7rem; border: 1px solid var(--soft); border-radius: 6px;
  background: var(--panel); font-size: .85rem; pointer-events: none; overflow-wrap: anywhere; box-shadow: 0 2px 8px rgb(0 0 0 / .25); }

td:not(:nth-child(2)) { text-align: right; white-space: nowrap; } thead th:nth-child(n + 3) { text-align: right; }
.groups tr > :nth-child(n + 2) { text-align: right; white-space: nowrap; }
tbody th { font-weight: 500; } td small { display: block; color: var(--soft); } .mean > * { border-top: 2px solid var(--soft); font-weight: 600; }

#list { list-style: none; margin: 0; padding: 0; }
#list > li { border-bottom: 1px solid var(--line); }
#list summary { overflow-wrap: anywhere; } #list summary > * { margin-right: 1rem; }
.right { color: var(--good); } .wrong { color: var(--bad); }
.right::before { content: "✓ "; } .wrong::before { content: "✗ "; }
.body { padding: 0 0 1rem; } .body h4 { margin: .75rem 0 .25rem; font-size: .9rem; overflow-wrap: anywhere; }
.body pre { margin: .25rem 0; padding: .6rem; background: var(--panel); border-radius: 6px; font: .82rem/1.45 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; max-height: 26rem; overflow: auto; }
.body table { width: 100%; } .body td { text-align: left; white-space: pre-wrap; } .body td:first-child { overflow-wrap: anywhere; } .body td:nth-child(2) { white-space: nowrap; }
@media (max-width: 64rem) {
  .axis { display: none; } .chart { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr)); gap: 1.25rem 2rem; } .chart.single { grid-template-columns: 1fr; } .group { width: 100%; display: flex; flex-direction: column; }
  .name { order: -2; padding: 0; font-size: .95rem; } .name small { display: inline; margin-left: .5rem; }
  .bars, .single .bars { flex-direction: column; height: auto; gap: 3px; margin: 0; border: 0; background: none; }
  .bar, .single .bar { display: grid; grid-template-columns: 6.5rem 1fr; gap: .5rem; align-items: center; flex: none; height: 1.6rem; max-width: none; margin: 0; }
  .who, .single .who { display: block; height: auto; padding: 0; font-size: .8rem; line-height: inherit; text-align: left; white-space: nowrap; text-overflow: ellipsis; overflow: hidden; }
  .track, .single .track { height: 1.1rem; border: 0; margin-right: 3.2rem; background: linear-gradient(var(--line), var(--line)) right / 1px 100% no-repeat; }
  .fill, .single .fill { inset: 0 auto 0 0; height: auto; width: calc(var(--value) * 1%); border-radius: 0 2px 2px 0; }
  .error { left: calc(var(--low) * 1%); bottom: auto; top: 50%; margin: -3.5px 0 0; height: 7px; width: calc((var(--high) - var(--low)) * 1%);
    border-width: 0 1.5px; background: linear-gradient(var(--ink), var(--ink)) center / 100% 1.5px no-repeat; }
  .value, .single .value { display: block; position: absolute; inset: auto auto auto calc(var(--high) * 1% + .3rem); font-size: .8rem; line-height: 1.1rem; }
  .single .about { margin-bottom: .75rem; } .legend { display: none; }
}
@media (prefers-reduced-motion: no-preference) { .fill { transition: height .2s, width .2s; } }
@media print { .controls, #items, .skip { display: none; } }
`;
