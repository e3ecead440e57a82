// local-cors-proxy as it is; it keeps no connection to the upstream and logs every request.
'use strict';
const { startProxy } = require('local-cors-proxy/lib');
console.log = () => {};
startProxy(@PORT@, 'http://127.0.0.1:@UPSTREAM@', '', false, '@ORIGIN@');
