import { Dialog } from '../shared/Dialog';
import { useSetting } from '../shared/settings';
import { useWords } from '../texts/texts';

/** The list of shortcuts, and the switch that turns the single letters off. */
export function Keys({ onClose }: { onClose: () => void }) {
  const { t } = useWords();
  const [letters, setLetters] = useSetting('letters');
  const rows = [
    ['Enter', t.keys.enter],
    ['s', t.keys.say],
    ['r', t.keys.replay],
    ['p', t.keys.pause],
    ['/', t.keys.filter],
    ['?', t.keys.help],
    ['Esc', t.keys.escape],
  ] as const;
  return (
    <Dialog title={t.keys.title} onClose={onClose}>
      <dl className="keys">
        {rows.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <label className="switch">
        <input
          type="checkbox"
          role="switch"
          checked={letters === 'on'}
          onChange={(e) => setLetters(e.target.checked ? 'on' : 'off')}
        />
        <span>
          {t.keys.letters}
          <small>{t.keys.lettersHint}</small>
        </span>
      </label>
      <div className="dialog-acts">
        <button type="button" className="btn" onClick={onClose}>
          {t.app.close}
        </button>
      </div>
    </Dialog>
  );
}
