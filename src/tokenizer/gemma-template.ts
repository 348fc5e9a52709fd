/**
 * Gemma's turns as a Jinja template, for programs that ask a model's folder for one: it writes what gemmaTurns writes, of
 * messages that are text. Roles that do not alternate are an error there, too.
 */
export const GEMMA_TEMPLATE = [
  "{{ bos_token }}",
  "{%- set ns = namespace(system='', turns=messages) -%}",
  "{%- if messages[0]['role'] == 'system' -%}",
  "{%- set ns.system = messages[0]['content'] + '\\n\\n' -%}",
  "{%- set ns.turns = messages[1:] -%}",
  "{%- endif -%}",
  "{%- for message in ns.turns -%}",
  "{%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}",
  "{{ raise_exception('roles must alternate user, assistant, user, ...') }}",
  "{%- endif -%}",
  "{{ '<start_of_turn>' + ('user' if message['role'] == 'user' else 'model') + '\\n' }}",
  "{{ (ns.system if loop.first else '') + message['content'] | trim + '<end_of_turn>\\n' }}",
  "{%- endfor -%}",
  "{%- if add_generation_prompt -%}{{ '<start_of_turn>model\\n' }}{%- endif -%}",
].join("");
