// Node's http-proxy as the same CORS proxy: the CORS half is by hand, as the package has none.
'use strict';
const http = require('http');
const crypto = require('crypto');
const httpProxy = require('http-proxy');

const ORIGIN = '@ORIGIN@';
const agent = new http.Agent({ keepAlive: true, maxSockets: 256 });
const proxy = httpProxy.createProxyServer({ target: 'http://127.0.0.1:@UPSTREAM@', agent, xfwd: true });

proxy.on('proxyReq', (request) => request.setHeader('X-Request-Id', crypto.randomUUID()));
proxy.on('proxyRes', (answer, request) => {
  for (const name of Object.keys(answer.headers)) {
    if (name.startsWith('access-control-')) delete answer.headers[name];
  }
  const vary = answer.headers.vary;
  answer.headers.vary = vary ? `${vary}, Origin` : 'Origin';
  if (request.headers.origin === ORIGIN) answer.headers['access-control-allow-origin'] = ORIGIN;
});
proxy.on('error', (error, request, response) => {
  if (response.writeHead && !response.headersSent) response.writeHead(502);
  response.end();
});

const server = http.createServer((request, response) => {
  if (request.method === 'OPTIONS' && request.headers['access-control-request-method']) {
    const allowed = request.headers.origin === ORIGIN;
    response.writeHead(allowed ? 204 : 403, allowed ? {
      'Access-Control-Allow-Origin': ORIGIN,
      'Access-Control-Allow-Methods': 'GET, PUT, POST',
      'Access-Control-Allow-Headers': 'Content-Type',
      'Access-Control-Max-Age': '600',
      Vary: 'Origin',
    } : { Vary: 'Origin' });
    response.end();
    return;
  }
  proxy.web(request, response);
});
server.on('upgrade', (request, socket, head) => proxy.ws(request, socket, head));
server.keepAliveTimeout = 75000;
server.listen(@PORT@, '127.0.0.1', 4096);
