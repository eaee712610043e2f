// Just enough understanding for the chips and the tests; the real one is the server's.

const numbers = { 一半: 50, 百分之五十: 50, 二十六: 26, 百分之二十: 20, 百分之百: 100, halfway: 50, half: 50 };

function numberIn(text) {
  const digits = /\d+/.exec(text);
  if (digits) return Number(digits[0]);
  return Object.entries(numbers).find(([word]) => text.includes(word))?.[1];
}

/** Reads one sentence: {outcome, op, prop, value, devices, reply} with replies in the sentence's language. */
export function understand(home, text, room) {
  const zh = /[\u4e00-\u9fff]/.test(text);
  const lang = zh ? 'zh-CN' : 'en';
  const said = text.toLowerCase();
  const kinds = [
    ['curtain', /窗帘|curtain/],
    ['air_conditioner', /空调|air condition|冷气/],
    ['kettle', /水壶|烧.*水|kettle/],
    ['light', /灯|lamp|light|暖一点|warmer|亮度/],
  ];
  const kind = kinds.find(([, re]) => re.test(said))?.[0];
  const none = { lang, devices: [] };
  if (!kind) {
    return {
      ...none,
      outcome: 'chat',
      reply: zh ? '这件事我还不会，换一句试试。' : 'I cannot do that yet; try another sentence.',
    };
  }
  const named = home.rooms.find((r) => said.includes(r.names[lang].toLowerCase()));
  const everywhere = /所有|全部|all|every/.test(said);
  const of = (d) => (kind === 'light' ? d.category.includes('light') : d.category === kind);
  const where = named?.id ?? (everywhere ? undefined : room);
  const devices = home.devices.filter((d) => of(d) && (where === undefined || d.room === where));
  if (devices.length === 0) {
    return { ...none, outcome: 'reject', reply: zh ? '那里没有这样的设备。' : 'There is no such device there.' };
  }
  if (devices.length > 1 && !everywhere) {
    const list = devices.map((d) => home.rooms.find((r) => r.id === d.room).names[lang]).join(zh ? '、' : ', ');
    return {
      ...none,
      outcome: 'clarify',
      candidates: devices.map((d) => d.id),
      reply: zh ? `${list}都有，要动哪一台？` : `There is one in ${list}; which one do you mean?`,
    };
  }
  if (/吗|\bis\b|\bare\b/.test(said)) {
    const lit = devices.filter((d) => d.state.powerstate?.value === 1).length;
    return {
      ...none,
      outcome: 'act',
      op: 'query',
      prop: 'powerstate',
      devices,
      reply: zh ? (lit ? '开着。' : '关着。') : lit ? 'It is on.' : 'It is off.',
    };
  }
  return { lang, outcome: 'act', devices, ...deed(kind, said, zh, devices[0]) };
}

function deed(kind, said, zh, device) {
  const n = numberIn(said);
  const off = /关|turn off|close/.test(said);
  const set = (prop, value, reply) => ({ op: 'set', prop, value, reply });
  if (kind === 'curtain') {
    const position = n ?? (off ? 0 : 100);
    return set(
      'position',
      position,
      zh ? `好的，窗帘开到${position}%了。` : `Okay, the curtain is ${position} % open.`,
    );
  }
  if (kind === 'air_conditioner' && n !== undefined) {
    return set('targetTemperature', n, zh ? `好的，空调设到${n}度了。` : `Okay, it is set to ${n} °C.`);
  }
  if (/暖|warm/.test(said)) {
    const kelvin = Math.max(2700, (device.state.colorTemperature?.value ?? 4000) - 600);
    return {
      ...set('colorTemperature', kelvin, zh ? '好的，暖一点了。' : 'Okay, a little warmer.'),
      op: 'adjust',
      direction: 'down',
    };
  }
  const colours = [
    [/红|red/, 0xff3b30],
    [/蓝|blue/, 0x3a6cff],
    [/绿|green/, 0x4fd070],
    [/紫|purple/, 0xa05cff],
  ];
  const colour = kind === 'light' && colours.find(([re]) => re.test(said));
  if (colour) return set('color', colour[1], zh ? '好的，换好颜色了。' : 'Okay, the colour is set.');
  if (kind === 'light' && n !== undefined) {
    return set('brightness', n, zh ? `好的，调到百分之${n === 50 ? '五十' : n}了。` : `Okay, it is at ${n} %.`);
  }
  return set(
    'powerstate',
    off ? 0 : 1,
    zh ? (off ? '好的，关上了。' : '好的，打开了。') : off ? 'Okay, it is off.' : 'Okay, it is on.',
  );
}
