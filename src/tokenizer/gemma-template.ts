/** Where the folder of a model or an adapter has its chat template. */
export const TEMPLATE_FILE = "chat_template.jinja";

/**
 * Gemma's turns as a Jinja template, for programs that ask a model's folder for one: it writes what gemmaTurns writes, of
 * messages that are text, and raises where gemmaTurns throws.
 */
export const GEMMA_TEMPLATE = [
  "{{ bos_token }}",
  "{%- set ns = namespace(system='', turns=messages) -%}",
  "{%- if messages[0]['role'] == 'system' -%}",
  "{%- set ns.system = messages[0]['content'] + '\\n\\n' -%}",
  "{%- set ns.turns = messages[1:] -%}",
  "{%- endif -%}",
  "{%- if not ns.turns -%}{{ raise_exception('there must be a user message') }}{%- endif -%}",
  "{%- for message in ns.turns -%}",
  "{%- set role = 'model' if message['role'] == 'assistant' else message['role'] -%}",
  "{%- if role != ('user' if loop.index0 % 2 == 0 else 'model') -%}",
  "{{ raise_exception('roles must alternate user, assistant, user, ...') }}",
  "{%- endif -%}",
  "{{ '<start_of_turn>' + role + '\\n' }}",
  "{{ (ns.system if loop.first else '') + message['content'] | trim + '<end_of_turn>\\n' }}",
  "{%- endfor -%}",
  "{%- if add_generation_prompt -%}{{ '<start_of_turn>model\\n' }}{%- endif -%}",
].join("");
