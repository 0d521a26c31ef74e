"""The index page of /debug/pprof/: numbers and small charts of what the machine does, and the way to each profile.

The page is whole without scripts: its numbers are those of the moment. page.js renews them once a second, draws the
charts and flame graphs. Nothing is loaded from elsewhere, and the page's policy (Content-Security-Policy) allows no more.
"""

# SPDX-License-Identifier: BSD-3-Clause

from net.http_message import Response
from net.pprof_js import JS

_POLICY = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_ICON = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Cpath d='M3 20c4-9 8-9 13 0s9 9 13 0' fill='none' stroke='%2314b8a6' stroke-width='5' stroke-linecap='round'/%3E%3C/svg%3E"

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>keelback %(host)s</title>
<link rel="icon" href="%(icon)s">
<link rel="stylesheet" href="page.css">
<script src="page.js" defer></script>
</head>
<body>
<header>
<svg class="mark" viewBox="0 0 64 24" aria-hidden="true"><path d="M4 16c7-14 14-14 24 0s18 12 26-2"/><circle cx="56" cy="12" r="3"/></svg>
<h1>keelback</h1>
<p class="host">%(host)s</p>
<p class="up"><span id="alive"></span>up <b id="uptime">%(uptime)s</b></p>
</header>
<main>
<section class="cards" aria-label="Now">
%(cards)s
</section>
<section>
<h2>Profiles</h2>
<table class="profiles">
<tr><th>profile</th><td>where the processor's time goes: Python functions, and the C function on top</td><td><a href="profile?seconds=5">5 s</a> <a href="profile?seconds=30">30 s</a> <a href="profile?seconds=5&amp;debug=1">text</a></td></tr>
<tr><th>heap</th><td>what lives in Python's heap, by type and size</td><td><a href="heap">file</a> <a href="heap?debug=1">text</a></td></tr>
<tr><th>allocs</th><td>who allocates, and what of it lives on</td><td><a href="allocs?seconds=5">5 s</a> <a href="allocs?seconds=30">30 s</a></td></tr>
<tr><th>goroutine</th><td>the tasks of asyncio, and where each of them stands</td><td><a href="goroutine">file</a> <a href="goroutine?debug=1">text</a> <a href="goroutine?debug=2">stacks</a></td></tr>
<tr><th>cmdline</th><td>what the program was started with</td><td><a href="cmdline">text</a></td></tr>
<tr><th>symbol</th><td>names of addresses: symbol?0x…</td><td><a href="symbol">text</a></td></tr>
<tr><th>vars</th><td>the numbers above, for programs</td><td><a href="/debug/vars">JSON</a></td></tr>
</table>
<pre id="command">go tool pprof -http=: http://%(host)s/debug/pprof/profile?seconds=5</pre>
</section>
<section id="flame" hidden>
<h2>Flame graph</h2>
<p class="bar"><button id="record">Record 5 s</button> <span id="said">Python functions from the root down; C functions in green. A click looks closer.</span></p>
<svg id="graph" role="img" aria-label="Flame graph"></svg>
</section>
<section class="columns">
%(network)s
<div>
<h2>Build</h2>
<table>%(about)s</table>
</div>
</section>
</main>
</body>
</html>
"""

_CARD = """<div class="card %s"><h3>%s</h3><p class="number" id="%s">%s</p><p class="note" id="%s-note">%s</p><svg viewBox="0 0 240 56" preserveAspectRatio="none" aria-hidden="true"><path class="area"/><path class="line"/></svg></div>"""

CSS = b""":root{--ground:#f4f7f7;--card:#fff;--ink:#12201f;--soft:#5d7270;--rule:#dfe8e7;--teal:#0d9488;--blue:#2563eb;--amber:#d97706;--violet:#7c3aed;--shadow:0 1px 2px #0b2a2714,0 6px 20px #0b2a270d}
@media(prefers-color-scheme:dark){:root{--ground:#0b1413;--card:#121f1e;--ink:#e4efee;--soft:#8ba3a0;--rule:#1f302e;--teal:#2dd4bf;--blue:#60a5fa;--amber:#fbbf24;--violet:#a78bfa;--shadow:none}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
header,main{max-width:1080px;margin:0 auto;padding:0 24px}
header{display:flex;align-items:center;gap:14px;padding-top:28px;padding-bottom:20px;flex-wrap:wrap}
.mark{width:56px;height:22px;overflow:visible}.mark path{fill:none;stroke:var(--teal);stroke-width:5;stroke-linecap:round}.mark circle{fill:var(--teal)}
h1{font-size:23px;font-weight:650;letter-spacing:-.02em;margin:0}
h2{font-size:13px;font-weight:600;letter-spacing:.06em;text-transform:uppercase;color:var(--soft);margin:36px 0 10px}
h3{font-size:13px;font-weight:600;color:var(--soft);margin:0}
p{margin:0}
.host{color:var(--soft);font-variant-numeric:tabular-nums}
.up{margin-left:auto;color:var(--soft)}.up b{color:var(--ink);font-weight:600;font-variant-numeric:tabular-nums}
#alive{display:inline-block;width:9px;height:9px;border-radius:50%;margin-right:8px;background:var(--soft)}
.live #alive{background:var(--teal);box-shadow:0 0 0 4px color-mix(in srgb,var(--teal) 20%,transparent)}
.lost #alive{background:#dc2626;box-shadow:0 0 0 4px #dc262633}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(225px,1fr));gap:16px}
.card,table,pre,#graph{background:var(--card);border:1px solid var(--rule);border-radius:14px;box-shadow:var(--shadow)}
.card{padding:16px 18px;overflow:hidden;position:relative}
.live .card,.lost .card{padding-bottom:72px}
.number{font-size:28px;font-weight:640;letter-spacing:-.02em;font-variant-numeric:tabular-nums;line-height:1.25}
.note{color:var(--soft);font-size:13px;font-variant-numeric:tabular-nums;white-space:nowrap}
.card svg{display:none;position:absolute;left:0;bottom:0;width:100%;height:58px}
.live .card svg,.lost .card svg{display:block}
.line{fill:none;stroke:var(--hue);stroke-width:2;vector-effect:non-scaling-stroke;stroke-linejoin:round}
.area{fill:var(--hue);opacity:.14}
.cpu{--hue:var(--teal)}.heap{--hue:var(--blue)}.net{--hue:var(--amber)}.tasks{--hue:var(--violet)}
table{border-collapse:separate;border-spacing:0;width:100%;overflow:hidden}
th,td{padding:9px 18px;text-align:left;border-top:1px solid var(--rule);vertical-align:top}
tr:first-child>*{border-top:0}
th{font-weight:600;white-space:nowrap;width:1%}
td{color:var(--soft)}td:last-child{color:var(--ink);font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
.profiles td:last-child{white-space:nowrap;text-align:right}
a{color:var(--teal);text-decoration:none;font-weight:550;margin-left:12px}a:hover{text-decoration:underline}
a:focus-visible,button:focus-visible{outline:2px solid var(--teal);outline-offset:2px;border-radius:4px}
pre{margin:12px 0 0;padding:12px 18px;overflow-x:auto;font:13px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
.bar{display:flex;align-items:center;gap:14px;margin-bottom:12px;color:var(--soft);font-size:13px}
button{font:inherit;font-size:14px;font-weight:600;color:#fff;background:#0d9488;border:0;border-radius:9px;padding:8px 16px;cursor:pointer}
button:hover{background:#0f766e}button:disabled{opacity:.55;cursor:default}
#graph{display:none;width:100%}#graph.drawn{display:block}
#graph rect{stroke:var(--card);stroke-width:1;cursor:pointer}#graph text{fill:#1c1003;font-size:12px;pointer-events:none}
#graph g:hover rect{filter:brightness(1.08)}
.columns{display:grid;grid-template-columns:repeat(auto-fit,minmax(320px,1fr));gap:0 20px;align-items:start;padding-bottom:48px}
@media(max-width:600px){header,main{padding-left:14px;padding-right:14px}.profiles td:nth-child(2){display:none}}
"""


def css(request):
    return _static(CSS, "text/css; charset=utf-8")


def js(request):
    return _static(JS, "text/javascript; charset=utf-8")


def _static(data, type):
    return Response(data, type=type, headers=[("Cache-Control", "no-cache"), ("X-Content-Type-Options", "nosniff")])


def index(host, values, about):
    """-> the page. host: as the client calls us; values: as system.vars() gives them; about: (label, value) pairs."""
    return Response(
        _PAGE % {
            "host": escape(host),
            "icon": _ICON,
            "uptime": duration(values["uptime_ms"] // 1000),
            "cards": "\n".join(_cards(values)),
            "network": "\n".join([_interface(interface) for interface in values["network"]]),
            "about": _rows(about),
        },
        type="text/html; charset=utf-8",
        headers=[("Content-Security-Policy", _POLICY), ("Cache-Control", "no-store"), ("Referrer-Policy", "no-referrer"), ("X-Content-Type-Options", "nosniff")],
    )


def _cards(values):
    busy = 100 - 100 * values["idle_ms"] // max(values["uptime_ms"], 1)
    yield _CARD % ("cpu", "Processor", "cpu", "%d %%" % busy, "cpu", "busy since the start")
    yield _CARD % ("heap", "Heap", "heap", size(values["heap_used"]), "heap", "of %s" % size(values["heap_used"] + values["heap_free"]))
    yield _CARD % ("net", "Network", "net", size(values["received"]), "net", "received, %s sent" % size(values["sent"]))
    yield _CARD % ("tasks", "Tasks", "tasks", values["tasks"], "tasks", "of asyncio")


def _interface(interface):
    rows = [("MAC", interface["mac"]), ("link", "up" if interface["link"] else "down")]
    rows += [("address", address) for address in interface["addresses"]]
    counters = "".join(['<tr><th>%s</th><td data-counter="%s">%d</td></tr>' % (escape(name), escape(name), count) for name, count in sorted(interface["counters"].items())])
    return '<div data-interface="%s"><h2>Network %s</h2>\n<table>%s%s</table></div>' % (escape(interface["name"]), escape(interface["name"]), _rows(rows), counters)


def _rows(pairs):
    return "".join(["<tr><th>%s</th><td>%s</td></tr>" % (escape(str(label)), escape(str(value))) for label, value in pairs])


def escape(text):
    """-> text as HTML shows it, also within quotes."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def size(n):
    """-> 1536 as 1.5 KiB."""
    if n < 1024:
        return "%d B" % n
    for unit in ("KiB", "MiB", "GiB"):
        n /= 1024
        if n < 1024 or unit == "GiB":
            return "%.*f %s" % (1 if n < 100 else 0, n, unit)


def duration(seconds):
    """-> 93784 as 1d 02:03:04."""
    days = seconds // 86400
    return "%s%02d:%02d:%02d" % ("%dd " % days if days else "", seconds // 3600 % 24, seconds // 60 % 60, seconds % 60)
