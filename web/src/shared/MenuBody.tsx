import { CSPProvider } from '@base-ui/react/csp-provider';
import { Menu } from '@base-ui/react/menu';
import { Icon } from './Icon';
import type { MenuGroup, MenuProps } from './Menu';

/** The menu itself, open from the start: it is first drawn when somebody asked for it. */
export default function MenuBody({ label, className, children, groups, header }: MenuProps) {
  return (
    <CSPProvider disableStyleElements>
      <Menu.Root defaultOpen modal={false}>
        <Menu.Trigger className={className} aria-label={label} title={label}>
          {children}
        </Menu.Trigger>
        <Menu.Portal>
          <Menu.Positioner className="menu-place" sideOffset={6} align="end" collisionPadding={12}>
            <Menu.Popup className="menu">
              {header}
              {groups.map((group) =>
                group.chosen === undefined ? (
                  <Menu.Group key={group.label}>
                    {group.choices.map((c) => (
                      <Menu.Item key={c.value} className="menu-item" onClick={() => group.pick(c.value)}>
                        {c.text}
                      </Menu.Item>
                    ))}
                  </Menu.Group>
                ) : (
                  <Radios key={group.label} group={group} chosen={group.chosen} />
                ),
              )}
            </Menu.Popup>
          </Menu.Positioner>
        </Menu.Portal>
      </Menu.Root>
    </CSPProvider>
  );
}

function Radios({ group, chosen }: { group: MenuGroup; chosen: string }) {
  return (
    <Menu.RadioGroup value={chosen} onValueChange={(v) => group.pick(String(v))}>
      <Menu.GroupLabel className="menu-label">{group.label}</Menu.GroupLabel>
      {group.choices.map((c) => (
        <Menu.RadioItem key={c.value} value={c.value} closeOnClick className="menu-item">
          <span className="menu-mark">
            <Menu.RadioItemIndicator>
              <Icon name="check" small />
            </Menu.RadioItemIndicator>
          </span>
          <span>
            {c.text}
            {c.hint !== undefined && <small>{c.hint}</small>}
          </span>
        </Menu.RadioItem>
      ))}
    </Menu.RadioGroup>
  );
}
