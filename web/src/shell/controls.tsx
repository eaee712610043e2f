import { Menu } from '../shared/Menu';
import { Icon } from '../shared/Icon';
import { useSetting } from '../shared/settings';
import { useWords } from '../texts/texts';

/** Switches to the other language; its name is written in that one. */
export function LanguageButton() {
  const { lang, t, setLang } = useWords();
  const other = lang === 'en' ? 'zh-CN' : 'en';
  return (
    <button
      type="button"
      className="bar-button"
      lang={other}
      aria-label={t.app.languageLabel}
      title={t.app.languageLabel}
      onClick={() => void setLang(other)}
    >
      {t.app.language}
    </button>
  );
}

export function ThemeMenu() {
  const { t } = useWords();
  const [theme, setTheme] = useSetting('theme');
  return (
    <Menu
      label={t.app.theme}
      className="bar-button"
      groups={[
        {
          label: t.app.theme,
          chosen: theme,
          pick: setTheme,
          choices: [
            { value: 'system', text: t.app.system },
            { value: 'light', text: t.app.light },
            { value: 'dark', text: t.app.dark },
          ],
        },
      ]}
    >
      <Icon name={theme === 'light' ? 'sun' : theme === 'dark' ? 'moon' : 'system'} />
    </Menu>
  );
}
