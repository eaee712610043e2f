// Plays a device with the official JavaScript SDK, unchanged, as it is told line by line on standard input.
// usage: node client.js device|gateway '{"brokerUrl":"mqtt://127.0.0.1:1883","productKey":…,"deviceName":…,"deviceSecret":…}'
// A line is {"n":1,"as":"78da07c11ca8","do":"postProps","args":[…]}: whom it plays, and a method of the SDK, or one of those below. What happens is printed as lines
// {"what":"connect"}, {"what":"done","n":1,"data":…}, {"what":"message","topic":…,"data":base64}. It ends with its standard input.
'use strict';

const iot = require('alibabacloud-iot-device-sdk');
const readline = require('readline');

const kind = process.argv[2];
const config = JSON.parse(process.argv[3]);
const print = (line) => process.stdout.write(JSON.stringify(line) + '\n');
const bytes = (text) => Buffer.from(text, 'base64');

const device = iot[kind](config);
const children = {}; // that have logged in through this gateway

for (const event of ['connect', 'error', 'close']) {
  device.on(event, (args) => print({ what: event, data: args.map(String) }));
}
device.on('message', (topic, payload) => print({ what: 'message', topic, data: payload.toString('base64') }));
const listen = (thing) => {
  for (const method of ['onProps', 'onShadow', 'onConfig']) {
    thing[method]((data) => print({ what: method, data }));
  }
};
listen(device);

const replies = {}; // of each service, as the SDK hands it on
const own = {
  onService(name, done) {
    device.onService(name, (data, reply) => {
      replies[name] = reply;
      print({ what: 'onService', data });
    });
    done();
  },
  reply(name, answer, kind, done) {
    replies[name](answer, kind);
    done();
  },
  publish(topic, payload, qos, done) {
    device.publish(topic, bytes(payload), { qos }, (err) => done(err && String(err)));
  },
  login(triple, done) {
    const child = device.login(triple, (answer) => {
      if (answer.code === 200) {
        children[triple.deviceName] = child;
      }
      done(answer);
    });
    child.on('error', () => {}); // the answer says it
    listen(child);
  },
  register(product, done) {
    iot.register(product, done);
  },
  subscribe(topic, done) {
    device.subscribe(topic, { qos: 1 }, (err, granted) => done(granted));
  },
};
// of these the SDK tells nobody what came of them
const silent = ['getShadow', 'postShadow', 'deleteShadow'];

readline
  .createInterface({ input: process.stdin })
  .on('line', (line) => {
    const { n, as, do: method, args } = JSON.parse(line);
    const thing = children[as] || device;
    const done = (data) => print({ what: 'done', n, data });
    if (own[method]) {
      own[method](...args, done);
    } else if (silent.includes(method)) {
      thing[method](...args);
      done();
    } else {
      thing[method](...args, done);
    }
  })
  .on('close', () => {
    device.end(false, () => process.exit(0));
    setTimeout(() => process.exit(0), 1000); // it cannot say goodbye
  });
