// cors-anywhere as it is: an open proxy whose clients name the upstream in the path; it keeps no connection to it.
'use strict';
const server = require('cors-anywhere').createServer({ originWhitelist: ['@ORIGIN@'], requireHeader: [] });
server.keepAliveTimeout = 75000;
server.listen(@PORT@, '127.0.0.1', 4096);
