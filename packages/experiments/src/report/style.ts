/** The look of a report: one style sheet for light and dark pages, wide screens and phones. */
import { colorVariables } from './palette.js'

/** Without a break, so that the page has no outside reference. */
export const style = `
:root{color-scheme:light dark;--page:#fff;--ink:#1c1f24;--soft:#5b626c;--line:#d9dde3;--card:#f6f7f9;--good:#00694f;--half:#7a5200;--bad:#a63200;${colorVariables('light')}}
@media (prefers-color-scheme:dark){:root{--page:#14171b;--ink:#e8eaed;--soft:#a4abb5;--line:#343a42;--card:#1d2126;--good:#4fd6ad;--half:#e5bd63;--bad:#ff9a6b;${colorVariables('dark')}}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,-apple-system,'Segoe UI',sans-serif;overflow-wrap:anywhere}
main{max-width:60rem;margin:0 auto;padding:1.5rem 1rem 4rem}
h1{font-size:1.7rem;line-height:1.2;margin:.5rem 0}
h2{font-size:1.35rem;line-height:1.25;margin:3rem 0 .25rem;padding-top:1rem;border-top:1px solid var(--line)}
h3{font-size:1.1rem;margin:2rem 0 .5rem}
h4{font-size:.95rem;margin:0 0 .25rem;font-weight:600}
p{margin:.4rem 0}
a{color:var(--series-0)}
.soft,figcaption,caption{color:var(--soft)}
.scroll{overflow-x:auto;margin:.75rem 0;border:1px solid var(--line);border-radius:.5rem}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums;font-size:.875rem}
.data{white-space:nowrap;overflow-wrap:normal}
caption{text-align:left;padding:.6rem .75rem;font-size:.875rem;white-space:normal;caption-side:top}
th,td{padding:.35rem .75rem;text-align:right;border-top:1px solid var(--line);vertical-align:top}
th:first-child,td:first-child{text-align:left}
.data th:first-child,.data td:first-child{position:sticky;left:0;background:var(--page)}
thead th{color:var(--soft);font-weight:600}
tbody th{font-weight:600}
.no{color:var(--bad);font-weight:700}.yes{color:var(--good)}
figure{margin:1.5rem 0;padding:1rem;border:1px solid var(--line);border-radius:.5rem;background:var(--card)}
figure h3{margin:0 0 .5rem}
figcaption{font-size:.875rem;margin-top:.5rem}
.panels{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,19rem),1fr));gap:.75rem}
.panels svg{display:block;width:100%;height:auto}
.narrow{display:none}
.legend{display:flex;flex-wrap:wrap;gap:.25rem 1.1rem;margin:.25rem 0 .5rem;padding:0;list-style:none;font-size:.875rem}
.legend li{display:flex;align-items:center;gap:.35rem}
.legend svg{flex:none;width:44px;height:14px;overflow:visible}
details{margin-top:.5rem;font-size:.875rem}summary{cursor:pointer;color:var(--soft)}
.claims{list-style:none;padding:0;margin:1rem 0}
.claims li{border-top:1px solid var(--line);padding:.6rem 0;display:grid;grid-template-columns:9.5rem 1fr;gap:.25rem 1rem}
.claims p{margin:0}
.verdict{font-weight:600;font-size:.875rem}
.holds{color:var(--good)}.accuracy{color:var(--half)}.differs{color:var(--bad)}.open{color:var(--soft)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem;font-size:.875rem}
dt{color:var(--soft)}dd{margin:0}
@media (max-width:36rem){.wide{display:none}.narrow{display:block}.claims li{grid-template-columns:1fr}figure{padding:.75rem .5rem}dl{grid-template-columns:1fr}dd{margin-bottom:.4rem}th,td{padding:.35rem .5rem}}
@media print{.scroll{overflow:visible}figure,tr{break-inside:avoid}}
`
