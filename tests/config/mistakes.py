"""Mistakes, each in an otherwise good file: the text, the line, the key path, the reason, a part of the message."""

from __future__ import annotations

from typing import Final

from tests.config.files import MINIMAL, with_policy, with_routes, with_upstream

Mistake = tuple[str, int, str, str, str]

_FILE: list[Mistake] = [
    ("", 1, "", "missing", "'corsproxy init' writes a starter file"),
    ("# comment\n", 1, "", "missing", "'corsproxy init' writes a starter file"),
    ("- a\n", 1, "", "invalid", "expected a mapping with keys of listen"),
    ("listen\n", 1, "", "invalid", "expected a mapping with keys of listen"),
    ("a: [\n", 1, "", "invalid", "invalid YAML"),
    ("a: 1\n---\nb: 1\n", 2, "", "prohibited", "one document"),
    ("a: !!str 1\n", 1, "", "prohibited", "remove the tag"),
    ("a: *b\n", 1, "", "undefined", "needs quotes"),
    ("routes: [{path: /, upstream: a}]\n", 1, "upstreams", "missing", "missing key 'upstreams'"),
    ("upstreams: {a: http://a}\n", 1, "routes", "missing", "missing key 'routes'"),
    ("upstreams\n  api: http://a\n", 2, "", "invalid", "check the indentation; each key ends with ': '"),
    ("upstreams: {}\nroutes:\n- path:/\n  upstream: a\n", 4, "", "invalid", "each key ends with ': '"),
    ("upstreams:\n  a: http://a\n routes: []\n", 3, "", "invalid", "keys that belong together begin in one column"),
    ("[server]\nlisten = 8080\n", 2, "", "invalid", "no YAML begins like this"),
    ("upstreams: http://a\nroutes: [{path: /, upstream: a}]\n", 1, "upstreams", "invalid", "write {NAME: http://a}"),
    ("upstreams: {a: http://a}\nroutes: {path: /}\n", 2, "routes", "invalid", "begin each item with '- '"),
    ("upstreams: {a: http://a}\nroutes: /\n", 2, "routes", "invalid", "begin each item with '- '"),
    ("upstreams: {a: [http://a]}\nroutes: [{path: /, upstream: a}]\n", 1, "upstreams.a", "invalid", "one value (URL)"),
    ("upstreams: {a: http://$HOST}\nroutes: [{path: /, upstream: a}]", 1, "upstreams.a", "invalid", "written ${NAME}"),
    ("upstreams: {a: http://a}\nroutes: []\n", 2, "routes", "missing", "at least one"),
    ("upstreams: {}\nroutes: [{path: /, upstream: a}]\n", 1, "upstreams", "missing", "at least one"),
    ("upstreams: {api: 'x:80'}\nroutes: [{path: /, upstream: api}]", 1, "upstreams.api", "invalid", "write http://"),
    ("upstreams: {api: }\nroutes: [{path: /, upstream: api}]", 1, "upstreams.api", "missing", "missing value"),
    (MINIMAL.replace("upstream: api", "upstream: apt"), 2, "routes[0].upstream", "undefined", "did you mean 'api'?"),
    (MINIMAL.replace("}]", "}, {path: /x, upstream: x}]"), 2, "routes[1].upstream", "undefined", "expected 'api', or"),
    (MINIMAL.replace("}]", "}, {path: /x, upstream: ''}]"), 2, "routes[1].upstream", "missing", "name of an upstream"),
    (MINIMAL.replace("{api", "{spare: http://x, api"), 1, "upstreams.spare", "unused", "no route refers to it"),
]
"""The whole text."""

_TOP: list[Mistake] = [
    ("listne: x", 3, "listne", "unknown", "did you mean 'listen'?"),
    ("header_timeout: 5s", 3, "header_timeout", "unknown", "it belongs under limits"),
    ("zzz: x", 3, "zzz", "unknown", "expected one of listen"),
    ("log_level: debug", 3, "log_level", "unknown", "it belongs under log, as level"),
    ("tls: {cert: /dev/null, private_key: /dev/null}", 3, "tls.cert", "unknown", "did you mean 'certificate'?"),
    ("tls: {certificate: /dev/null, key: /dev/null}", 3, "tls.key", "unknown", "did you mean 'private_key'?"),
    (
        "tls: {certificate: '', private_key: /dev/null}",
        3,
        "tls.certificate",
        "missing",
        "empty; write one, or remove it",
    ),
    ("workers: 1\nworkers: 2", 4, "workers", "duplicate", "in line 3 already"),
    ("<<: {workers: 1}", 3, "<<", "prohibited", "merge key"),
    ("limits: {max_boby: 1}", 3, "limits.max_boby", "unknown", "did you mean 'max_body'?"),
    ("limits:", 3, "limits", "missing", "remove the key"),
    ("trusted_proxies:", 3, "trusted_proxies", "missing", "expected a list of address or network; write it, or"),
    ("limits: 5", 3, "limits", "invalid", "expected a mapping with keys of max_body"),
    ("policies: []", 3, "policies", "invalid", "mapping from the name of each policy"),
    ("policies: {p: {allow_origins: [https://a.example]}}", 3, "policies.p", "unused", "no route refers"),
    ("listen: 70000", 3, "listen", "invalid", "at most 65535"),
    ("listen:", 3, "listen", "missing", "remove the key"),
    ("listen: [127.0.0.1:80]", 3, "listen", "invalid", "a list: expected one value"),
    ("inspector: maybe", 3, "inspector", "invalid", "true or false"),
    ("workers: 0", 3, "workers", "invalid", "at least 1"),
    ("workers: nan", 3, "workers", "invalid", "whole number"),
    ("limits: {max_header_bytes: 10}", 3, "limits.max_header_bytes", "invalid", "at least 256"),
    ("limits: {max_header_lines: 0}", 3, "limits.max_header_lines", "invalid", "at least 1"),
    ("limits: {idle_timeout: 0}", 3, "limits.idle_timeout", "invalid", "at least 1ms"),
    ("limits: {max_body: 10MB}", 3, "limits.max_body", "invalid", "10MiB"),
    ("shutdown: {drain: -5s}", 3, "shutdown.drain", "invalid", "10s"),
    ("log: {level: warn}", 3, "log.level", "invalid", "warning or error; did you mean 'warning'?"),
    ("log: {format: yaml}", 3, "log.format", "invalid", "text or json"),
    ("admin: 127.0.0.1:8080", 3, "admin", "duplicate", "take another port"),
    ("admin_hosts: ['http://x']", 3, "admin_hosts[0]", "invalid", "without scheme"),
    ("trusted_proxies: ::1 10.0.0.1/8", 3, "trusted_proxies", "invalid", "'10.0.0.1/8'"),
    ("trusted_proxies:\n- 10.0.0.1/8", 4, "trusted_proxies[0]", "invalid", "write 10.0.0.0/8"),
    ("trusted_proxies: [0.0.0.0/0]", 3, "trusted_proxies[0]", "prohibited", "everybody is believed"),
    ("tls: {certificate: none.pem, private_key: /dev/null}", 3, "tls.certificate", "missing", "missing file"),
    ("tls: {certificate: /dev/null, private_key: /}", 3, "tls.private_key", "unreadable", "directory"),
]
"""Written under a good file of two lines."""

_UPSTREAM: list[Mistake] = [
    ("connect_timeout: 5s", 1, "url", "missing", "missing key 'url'"),
    ("ulr: http://x", 1, "ulr", "unknown", "did you mean 'url'?"),
    ("url: ftp://x", 1, "url", "invalid", "http://, https:// or unix:/path"),
    ("url: http://x, connect_timeout: 0", 1, "connect_timeout", "invalid", "at least 1ms"),
    ("url: http://x, host: 'a b'", 1, "host", "invalid", "invalid host"),
    ("url: http://x, origin: drop", 1, "origin", "invalid", "forward, remove or upstream"),
    ("url: http://x, redirects: on", 1, "redirects", "invalid", "rewrite or keep"),
    ("url: http://x, tls: {verify: false}", 1, "tls", "invalid", "write https://"),
    ("url: https://x, tls: {ca: no.pem}", 1, "tls.ca", "missing", "relative to the config"),
    ("url: https://x, tls: {certificate: /dev/null}", 1, "tls.certificate", "missing", "'private_key' beside it"),
    ("url: https://x, tls: {verify: no, ca: /dev/null}", 1, "tls.ca", "unused", "nothing is checked"),
    ("url: http://x, aliases: [http://y/]", 1, "aliases[0]", "invalid", "write http://y"),
    ("url: http://x, aliases: [http://y:80/z?q]", 1, "aliases[0]", "invalid", "write http://y"),
    ("url: http://x, aliases: [y.corp]", 1, "aliases[0]", "invalid", "write http://y.corp"),
    ("url: http://x, aliases: ['unix:/y']", 1, "aliases[0]", "invalid", "http or https URL"),
    ("url: http://x, aliases: ['http://X:80']", 1, "aliases[0]", "unused", "the url already"),
    ("url: http://x, aliases: [http://y, 'http://y:80']", 1, "aliases[1]", "unused", "duplicate origin http://y"),
    ("url: http://x, redirects: keep, aliases: [http://y]", 1, "aliases[0]", "unused", "nothing is turned back"),
    ("url: http://x, cookies: {domain: .x}", 1, "cookies.domain", "invalid", "leading dot"),
    ("url: http://x, cookies: {path: x}", 1, "cookies.path", "invalid", "rewrite, keep"),
    ("url: http://x, cookies: {path: /a;b}", 1, "cookies.path", "invalid", "without ';'"),
    ("url: http://x, cookies: {same_site: none, secure: remove}", 1, "cookies.same_site", "invalid", "'secure: add'"),
    ("url: http://x, cookies: {partitioned: on, secure: remove}", 1, "cookies.partitioned", "invalid", "'secure: add'"),
    ("url: http://x, cookies: {same_site: none}", 1, "cookies.same_site", "missing", "without Secure"),
    (
        "url: http://x, cookies: {partitioned: on, secure: add, same_site: lax}",
        1,
        "cookies.partitioned",
        "unused",
        "'same_site: none'",
    ),
    ("url: http://x, cookies: {domain: co.uk}", 1, "cookies.domain", "invalid", "a public suffix"),
    ("url: http://x, cookies: {partitioned: on, secure: keep}", 1, "cookies.partitioned", "missing", "without Secure"),
]
"""The keys of the upstream `api`."""

_ORIGINS = "allow_origins: [https://app.example.com]\n"
_POLICY: list[Mistake] = [
    ("max_age: 10m", 2, "allow_origins", "missing", "missing key 'allow_origins'"),
    ("origins: [https://a.example]", 3, "origins", "unknown", "did you mean 'allow_origins'?"),
    ("allow_origins: https://a.example, https://b.example/", 3, "allow_origins", "invalid", "'https://b.example/'"),
    (_ORIGINS + "allow_methods: GET, T(", 4, "allow_methods", "invalid", "'T('"),
    (_ORIGINS + "dangerously_allow: true", 4, "dangerously_allow", "invalid", "'true': expected any_origin_with"),
    ("allow_origins: []", 3, "allow_origins", "missing", "at least one"),
    ('allow_origins: ", "', 3, "allow_origins", "missing", "nothing in the text"),
    ("allow_origins: {a: b}", 3, "allow_origins", "invalid", "a mapping: expected a list of origin or pattern"),
    ("allow_origins:\n- {regexp: x}", 4, "allow_origins[0].regexp", "unknown", "'regex'?"),
    ("allow_origins:\n- {regex: }", 4, "allow_origins[0].regex", "missing", "missing value"),
    (_ORIGINS + "max_age: 25h", 4, "max_age", "invalid", "at most 24h"),
    (_ORIGINS + "max_age: -1", 4, "max_age", "invalid", "0 is no caching"),
    (_ORIGINS + "mode: no", 4, "mode", "invalid", "invalid word 'no': expected enforce or shadow"),
    (_ORIGINS + "websockets: never", 4, "websockets", "invalid", "policy, any or off"),
    (_ORIGINS + "preflight_status: 201", 4, "preflight_status", "invalid", "204 or 200"),
    (_ORIGINS + "on_refused: drop", 4, "on_refused", "invalid", "forward or reject"),
    (_ORIGINS + "dangerously_allow: [nul_origin]", 4, "dangerously_allow[0]", "invalid", "'null_origin'?"),
    # What the CORS core refuses, at the very list item
    ("allow_origins:\n- https://a.example\n- https://B.example", 5, "allow_origins[1]", "invalid", "b.example"),
    ("allow_origins:\n- https://a.example/", 4, "allow_origins[0]", "invalid", "https://a.example"),
    ("allow_origins:\n- https://a.example:0", 4, "allow_origins[0]", "invalid", "port"),
    ("allow_origins:\n- {regex: '['}", 4, "allow_origins[0]", "invalid", "regular expression"),
    ("allow_origins:\n- null", 4, "allow_origins[0]", "prohibited", "null_origin"),
    (
        'allow_origins:\n- "*"\nallow_credentials: on',
        4,
        "allow_origins[0]",
        "prohibited",
        "any_origin_with_credentials",
    ),
    (
        "allow_origins:\n- http://a.example\nallow_credentials: on",
        4,
        "allow_origins[0]",
        "prohibited",
        "insecure_origins",
    ),
    (
        "allow_origins:\n- https://*.github.io\nallow_credentials: on",
        4,
        "allow_origins[0]",
        "prohibited",
        "public_suffix_origins",
    ),
    (_ORIGINS + "allow_methods: [GET, TRACE]", 4, "allow_methods[1]", "forbidden", "TRACE"),
    (_ORIGINS + "allow_methods: ['G T']", 4, "allow_methods[0]", "invalid", "G T"),
    (_ORIGINS + "allow_headers:\n- Host", 5, "allow_headers[0]", "forbidden", "Host"),
    (_ORIGINS + "expose_headers:\n- ETag\n- Set-Cookie", 6, "expose_headers[1]", "forbidden", "Set-Cookie"),
]
"""The keys of the policy `app`, from line 3 on."""

_ROUTES: list[tuple[list[str], int, str, str, str]] = [
    (["path: orders"], 3, "routes[0].path", "invalid", "write '/orders'"),
    (["path: /a/*"], 3, "routes[0].path", "invalid", "write /a"),
    (["path: /a%2Fb"], 3, "routes[0].path", "unreachable", "refused"),
    (["exact: true"], 3, "routes[0].path", "missing", "missing key 'path'"),
    (["path: /, host: https://x"], 3, "routes[0].host", "invalid", "host alone"),
    (["path: /, exact: 1"], 3, "routes[0].exact", "invalid", "true or false"),
    (["path: /, policy: app"], 3, "routes[0].policy", "undefined", "write it under policies"),
    (["path: /a/b, strip_prefix: /b"], 3, "routes[0].strip_prefix", "invalid", "/a/b or a part of it"),
    (["path: /ab, strip_prefix: /a"], 3, "routes[0].strip_prefix", "invalid", "whole leading segments"),
    (["path: '/{a}', strip_prefix: '/{a}'"], 3, "routes[0].strip_prefix", "invalid", "literal"),
    (["path: /a, strip_prefix: a"], 3, "routes[0].strip_prefix", "invalid", "begins with '/'"),
    (["path: '/x/{a}'", "path: '/x/{b}'"], 4, "routes[1].path", "unreachable", "routes[0] in line 3"),
    (["path: /x", "path: /x/"], 4, "routes[1].path", "unreachable", "routes[0] in line 3"),
    (["path: /, host: A.example", "path: /, host: a.example"], 4, "routes[1].path", "unreachable", "line 3"),
    (["path: /a/, exact: on", "path: /b", "path: /a/, exact: on"], 5, "routes[2].path", "unreachable", "line 3"),
]
"""The routes, one a line from line 3 on."""

_BAD_NAME = with_policy(_ORIGINS).replace("  app:", "  a b:").replace("policy: app", "policy: [a b]")

MISTAKES: Final[list[Mistake]] = [
    *_FILE,
    *((f"{MINIMAL}{text}\n", line, path, reason, said) for text, line, path, reason, said in _TOP),
    *((with_upstream(keys), line, f"upstreams.api.{key}", reason, said) for keys, line, key, reason, said in _UPSTREAM),
    *((with_policy(keys), line, f"policies.app.{key}", reason, said) for keys, line, key, reason, said in _POLICY),
    *((with_routes(*routes), line, path, reason, said) for routes, line, path, reason, said in _ROUTES),
    (_BAD_NAME, 2, "policies.a b", "invalid", "at most 63"),
]
