// Plays one light with the official JavaScript SDK, unchanged, and prints what happens as JSON lines.
// usage: node client.js '{"url":"mqtt://127.0.0.1:1883","product_key":…,"device_name":…,"device_secret":…}'
// It posts properties and an event when it connects, answers property sets and the service "identify", and ends with its
// standard input.
'use strict';

const iot = require('alibabacloud-iot-device-sdk');

const c = JSON.parse(process.argv[2]);
const say = (what, data) => process.stdout.write(JSON.stringify({ what, data }) + '\n');

const device = iot.device({
  productKey: c.product_key,
  deviceName: c.device_name,
  deviceSecret: c.device_secret,
  brokerUrl: c.url,
});

device.on('connect', () => {
  say('connect');
  device.postProps({ powerstate: 0, brightness: 80 }, (res) => say('post_reply', res));
  device.postProps({ brightness: 101 }, (res) => say('refused_reply', res));
  device.postEvent('fault', { code: 1, detail: '过热' }, (res) => say('event_reply', res));
});
device.on('error', (err) => say('error', String(err)));
device.on('close', () => say('close'));

device.onProps((cmd) => {
  say('set', cmd);
  device.postProps(cmd.params);
  device.publish(
    `/sys/${c.product_key}/${c.device_name}/thing/service/property/set_reply`,
    JSON.stringify({ id: cmd.id, code: 200, data: {} }),
  );
});
device.onService('identify', (req, reply) => {
  say('service', req);
  reply({ code: 200, data: {} });
});

process.stdin.resume();
process.stdin.on('end', () => {
  device.end();
  setTimeout(() => process.exit(0), 200);
});
