"""The report's look: one inline style sheet for light and dark screens and for paper."""

CSS = """
:root{color-scheme:light dark;--ink:#1d2330;--soft:#5b6475;--paper:#fff;--card:#f6f7fa;--line:#d9dde6;--accent:#2c5fd1;
--warn:#8a4b00;--warnback:#fff1dc}
@media(prefers-color-scheme:dark){:root{--ink:#e8ebf2;--soft:#a4adbf;--paper:#14171d;--card:#1d222b;--line:#363d4a;
--accent:#8fb3ff;--warn:#ffce8a;--warnback:#3a2a12}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:68rem;padding:1.5rem;
font:16px/1.55 system-ui,"Hiragino Sans","Noto Sans CJK JP",sans-serif;
color:var(--ink);background:var(--paper)}
h1{font-size:1.7rem;margin:.2rem 0}h2{font-size:1.2rem;margin:0 0 .8rem;overflow-wrap:anywhere}
h3{font-size:.95rem;margin:1.1rem 0 .3rem;color:var(--soft);font-weight:600}
p{margin:.3rem 0}a{color:var(--accent)}
.duty{border-left:4px solid var(--accent);padding:.3rem .8rem;margin:.8rem 0;background:var(--card)}
section{margin:1.8rem 0}
article{background:var(--card);border:1px solid var(--line);border-radius:12px;padding:1.1rem 1.3rem;margin:1.3rem 0;
display:grid;grid-template-columns:minmax(16rem,25rem) 1fr;gap:0 1.8rem}
article>h2,article>.top,.wide{grid-column:1/-1}
.halves{display:grid;grid-template-columns:1fr 1fr;gap:0 2rem;align-items:start}
article>.top{font-size:.85rem;text-align:right}
@media(max-width:46rem){article,.halves{grid-template-columns:1fr}}
table{border-collapse:collapse;width:100%;font-size:.92rem}
th,td{text-align:left;padding:.14rem .5rem .14rem 0;vertical-align:top;font-weight:400}
thead th{color:var(--soft);border-bottom:1px solid var(--line)}
.overview td,.overview th,
.meaning td,.meaning th,.without td{border-bottom:1px solid var(--line);padding:.35rem .7rem .35rem 0}
.overview td{overflow-wrap:anywhere}.overview td:not(:first-child){overflow-wrap:break-word;word-break:keep-all}
.bars th{width:48%}.bars td.value{width:7.5em;text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.bar{display:block;height:.62rem;margin-top:.45rem;border-radius:3px;background:var(--line);overflow:hidden;min-width:3rem}
.bar i{display:block;height:100%;width:var(--w);background:var(--accent)}
.big{font-size:1.45rem;font-weight:600}.soft{color:var(--soft);font-size:.88rem}
.review{color:var(--warn);background:var(--warnback);border-radius:6px;padding:.3rem .6rem;display:inline-block}
article>div:not(.wide)>:first-child{margin-top:0}
svg.face{width:100%;height:auto;max-height:26rem;border-radius:8px;display:block}
svg.face .blank{fill:var(--line)}
svg.face .box{fill:none;stroke:#fff;stroke-width:calc(1.6*var(--s));stroke-dasharray:calc(5*var(--s)) calc(4*var(--s))}
svg.face .mark{fill:none;stroke:#fff;stroke-opacity:.75;stroke-width:calc(.9*var(--s))}
svg.face .spread{fill:#ffe14d;fill-opacity:.3}
svg.face .dot{fill:#ffe14d;stroke:#222;stroke-width:calc(.3*var(--s))}
svg.face .axis{stroke-width:calc(2.6*var(--s));stroke-linecap:round}
svg.face .x{stroke:#ff5b52}svg.face .y{stroke:#39d353}svg.face .z{stroke:#4ea1ff}
svg.age{width:100%;max-width:24rem;height:auto}
svg.age text{font-size:11px;fill:var(--soft);text-anchor:middle}
svg.age .interval{fill:var(--accent);fill-opacity:.16}svg.age .density{fill:var(--accent);fill-opacity:.55}
svg.age .estimate{stroke:var(--ink);stroke-width:1.6}svg.age .ground{stroke:var(--soft)}
.drawing{overflow-x:auto}
details{margin-top:.8rem}summary{cursor:pointer;color:var(--accent)}
@media print{:root{font-size:10.5px}body{max-width:none;padding:0;font-size:1rem;line-height:1.35}
article{break-inside:avoid;background:none;margin:0 0 1.5rem;grid-template-columns:22rem 1fr}
h2,h3{break-after:avoid}tr,.duty{break-inside:avoid}svg.face{max-height:24rem}
.halves{grid-template-columns:1fr 1fr}.top{display:none}
details::details-content{content-visibility:visible;display:block}summary{color:var(--soft);list-style:none}
summary::-webkit-details-marker{display:none}
.bar,.bar i,.review,svg *{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
""".strip()
