// The home that the mock plays: rooms and things of `lampworks demo`.

const on = { identifier: 'powerstate', name: '开关', type: 'bool', writable: true };
const int = (identifier, name, unit, min, max, writable = true) => ({
  identifier,
  name,
  type: 'int',
  unit,
  min,
  max,
  step: 1,
  writable,
});
const modes = {
  identifier: 'mode',
  name: '模式',
  type: 'enum',
  writable: true,
  enum: [
    { value: 0, name: '自动', names: { en: 'auto' } },
    { value: 1, name: '制冷', names: { en: 'cool' } },
    { value: 2, name: '制热', names: { en: 'heat' } },
  ],
};

const models = {
  colour_light: [
    on,
    int('brightness', '亮度', '%', 1, 100),
    int('colorTemperature', '色温', 'K', 2700, 6500),
    int('color', '颜色', '', 0, 0xffffff),
  ],
  light: [on, int('brightness', '亮度', '%', 1, 100), int('colorTemperature', '色温', 'K', 2700, 6500)],
  curtain: [int('position', '开合', '%', 0, 100)],
  air_conditioner: [on, modes, int('targetTemperature', '设定温度', '°C', 16, 30)],
  kettle: [on, int('temperature', '水温', '°C', 0, 100, false)],
};

const names = (zh, en) => ({ 'zh-CN': zh, en });
const thing = (id, room, zh, en, category, state) => ({
  id,
  room,
  names: names(zh, en),
  aliases: {},
  category,
  product: `product-${category}`,
  product_key: `a1${category.replaceAll('_', '').slice(0, 9).padEnd(9, 'x')}`,
  device_name: `78da07a1c4${id.length.toString(16).padStart(2, '0')}`,
  online: true,
  virtual: true,
  fault: 'none',
  properties: models[category],
  state,
  desired: {},
});

const at = (values, time) =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, { value, time: time.toISOString() }]));

/** A fresh demo home; `now` stamps its first reports. */
export function demoHome(now = new Date()) {
  const v = (values) => at(values, now);
  return {
    id: 'home-demo',
    names: names('小满的家', 'Xiaoman’s home'),
    rooms: [
      { id: 'living', names: names('客厅', 'living room'), aliases: {} },
      { id: 'bedroom', names: names('卧室', 'bedroom'), aliases: {} },
      { id: 'kitchen', names: names('厨房', 'kitchen'), aliases: {} },
    ],
    devices: [
      thing(
        'lr-lamp',
        'living',
        '灯',
        'lamp',
        'colour_light',
        v({ powerstate: 0, brightness: 80, colorTemperature: 3000 }),
      ),
      thing('lr-curtain', 'living', '窗帘', 'curtain', 'curtain', v({ position: 70 })),
      thing(
        'lr-ac',
        'living',
        '空调',
        'air conditioner',
        'air_conditioner',
        v({ powerstate: 1, mode: 1, targetTemperature: 25 }),
      ),
      thing(
        'br-lamp',
        'bedroom',
        '台灯',
        'desk lamp',
        'light',
        v({ powerstate: 0, brightness: 40, colorTemperature: 2700 }),
      ),
      thing('br-curtain', 'bedroom', '窗帘', 'curtain', 'curtain', v({ position: 0 })),
      thing('k-lamp', 'kitchen', '灯', 'lamp', 'light', v({ powerstate: 1, brightness: 100, colorTemperature: 4000 })),
      thing('k-kettle', 'kitchen', '水壶', 'kettle', 'kettle', v({ powerstate: 0, temperature: 24 })),
    ],
  };
}
