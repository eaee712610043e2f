import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { Names } from '../api/model';
import { useServices } from '../session/session';
import { NameForm } from '../shared/NameForm';
import { Empty } from '../shared/states';
import { useWords } from '../texts/texts';
import { homesQuery } from './queries';

/** The organisation has no home: make one. */
export function FirstHome() {
  const { t } = useWords();
  const { api } = useServices();
  const client = useQueryClient();
  const make = useMutation({
    mutationFn: (names: Names) => api.makeHome(names),
    onSuccess: (home) => client.setQueryData(homesQuery(api).queryKey, [home]),
  });
  return (
    <Empty title={t.state.noHomes} why={t.state.noHomesWhy}>
      <NameForm
        label={t.state.homeName}
        hint={t.state.homeNameHint}
        first={t.state.homeNameFirst}
        submit={t.state.makeHome}
        busy={make.isPending}
        error={make.error}
        make={make.mutate}
      />
    </Empty>
  );
}
