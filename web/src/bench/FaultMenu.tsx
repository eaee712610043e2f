import { faults, type Device, type Fault } from '../api/model';
import { Icon } from '../shared/Icon';
import { Menu } from '../shared/Menu';
import { useWords } from '../texts/texts';
import { nameOf } from './describe';

/** The menu that makes one virtual device misbehave. `wide` bears words, the other only the flask. */
export function FaultMenu({ device, wide, pick }: { device: Device; wide?: boolean; pick: (fault: Fault) => void }) {
  const { lang, t } = useWords();
  const hints = {
    none: t.fault.noneHint,
    silent: t.fault.silentHint,
    slow: t.fault.slowHint,
    wrong: t.fault.wrongHint,
    duplicate: t.fault.duplicateHint,
    'wrong-type': t.fault.wrongTypeHint,
    flapping: t.fault.flappingHint,
  };
  const naughty = device.fault !== 'none';
  const label = t.fault.menuOf(nameOf(device, lang));
  return (
    <Menu
      label={label}
      className={wide ? 'pill pill-button' : naughty ? 'thing-menu is-naughty' : 'thing-menu'}
      groups={[
        {
          label,
          chosen: device.fault,
          pick: (value) => pick(faults.find((f) => f === value) ?? 'none'),
          choices: faults.map((f) => ({ value: f, text: t.fault[f], hint: hints[f] })),
        },
      ]}
    >
      <Icon name="flask" small />
      {naughty ? faultText(device, t) : wide && <span className="pill-wide">{t.fault.menu}</span>}
      {wide && <Icon name="down" small />}
    </Menu>
  );
}

function faultText(device: Device, t: ReturnType<typeof useWords>['t']): string {
  const known = faults.find((f) => f === device.fault);
  return known ? t.fault[known] : device.fault;
}
