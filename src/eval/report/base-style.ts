/** What all pages share: colours, texts, tables, controls. */
export const BASE_STYLE = `
:root { --paper: #fff; --ink: #1b1f24; --soft: #5b6470; --line: #d5dae1; --panel: #f4f6f8; --link: #0b57d0; --good: #146c43; --bad: #b3261e;
  --c0: #1a5fd0; --c1: #5a8fe6; --c2: #c2570c; --c3: #626a75; --c4: #868d98;
  --card: #8a4b14; --c5: #0b8a5c; --c6: #b0259a; --c7: #8a6d00; --c8: #00798c; --c9: #7a3fd1; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #14171c; --ink: #e6e9ee; --soft: #a3acb9; --line: #3a414c; --panel: #1e232a; --link: #8ab4f8; --good: #6dd58c; --bad: #f2b8b5;
    --c0: #6ea8fe; --c1: #4a7fd6; --c2: #f59e4c; --c3: #b8bfca; --c4: #848c99;
    --card: #f0c08a; --c5: #3ecf94; --c6: #f07ad9; --c7: #d8b63a; --c8: #3fc1d6; --c9: #b794f6; }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
body { margin: 0 auto; max-width: 80rem; padding: 1rem; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
h1 { margin: 0; font-size: 1.75rem; } header p { margin: 0 0 1rem; color: var(--soft); overflow-wrap: anywhere; }
h2 { margin: 2.5rem 0 .75rem; font-size: 1.3rem; } h3 { margin: 1.5rem 0 .5rem; font-size: 1.05rem; overflow-wrap: anywhere; }
section:first-child h2 { margin-top: 0; }
a { color: var(--link); }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; border-radius: 3px; }
section:focus { outline: none; } /* where a link to the items leads, not a control */
.skip { position: absolute; left: -99rem; } .skip:focus { left: 1rem; top: 0; background: var(--paper); padding: .5rem; z-index: 3; }
.small, .notes { font-size: .85rem; color: var(--soft); overflow-wrap: anywhere; }
.controls { display: flex; flex-wrap: wrap; gap: .75rem 1.25rem; align-items: end; margin-bottom: 1rem; }
.controls > label { display: grid; gap: .15rem; font-size: .85rem; color: var(--soft); max-width: 100%; }
fieldset { display: flex; flex-wrap: wrap; gap: .1rem 1rem; margin: 0; border: 0; padding: 0; min-width: 0; }
fieldset label { display: inline-flex; gap: .35rem; align-items: center; min-height: 2rem; }
legend { padding: 0; font-size: .85rem; color: var(--soft); }
select, input[type=search], button { font: inherit; color: var(--ink); background: var(--panel); border: 1px solid var(--soft); border-radius: 6px; padding: .35rem .5rem; min-height: 2.5rem; max-width: 100%; }
.scroll { overflow-x: auto; } .scroll + .scroll { margin-top: 1rem; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .35rem .6rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1rem; } dd { margin: 0; overflow-wrap: anywhere; } code { font-size: .85em; overflow-wrap: anywhere; }
sup { line-height: 0; }
summary { cursor: pointer; padding: .35rem 0; }
@media (max-width: 64rem) { dl { grid-template-columns: 1fr; } dt { color: var(--soft); margin-top: .4rem; } }
`;
