import { useQuery } from '@tanstack/react-query';
import { Icon } from '../shared/Icon';
import { useWords } from '../texts/texts';
import { Door } from './DoorPage';
import { setupQuery, useServices } from './session';
import { SignInForm } from './SignInForm';

/** The sign-in page. `why` says what brought the person here against their will. */
export function SignInPage({ why, onDone }: { why: 'token' | undefined; onDone: () => void }) {
  const { t } = useWords();
  const { api } = useServices();
  const setup = useQuery(setupQuery(api));
  return (
    <Door title={t.signIn.title} lead={t.signIn.lead}>
      {why === 'token' && (
        <p className="note note-warn" role="alert">
          <Icon name="warn" />
          <span>{t.signIn.tokenWrong}</span>
        </p>
      )}
      {setup.data === true && (
        <p className="note">
          <Icon name="bench" />
          <span>{t.signIn.setUpFirst}</span>
        </p>
      )}
      <SignInForm onDone={onDone} />
    </Door>
  );
}
