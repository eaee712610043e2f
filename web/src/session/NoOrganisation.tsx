import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRef } from 'react';
import type { Actor, Names } from '../api/model';
import { NameForm } from '../shared/NameForm';
import { Empty } from '../shared/states';
import { useWords } from '../texts/texts';
import { sessionQuery, useServices } from './session';

/** What somebody sees who is in no organisation yet: the first operator after the set-up, or a user whom nobody has taken in. */
export function NoOrganisation({ actor }: { actor: Actor }) {
  const { t } = useWords();
  const { api } = useServices();
  const client = useQueryClient();
  const made = useRef<string>(undefined); // a second try after a break in between must not make a second one
  const make = useMutation({
    mutationFn: async (names: Names) => {
      made.current ??= await api.makeOrganisation(names);
      return api.actFor(made.current);
    },
    onSuccess: (next) => {
      const { queryKey } = sessionQuery(api);
      client.removeQueries({ predicate: (q) => q.queryKey[0] !== queryKey[0] }); // read, or refused, for nobody
      client.setQueryData(queryKey, next);
    },
  });
  if (!actor.acts.includes('organisation.manage')) {
    return <Empty title={t.organisation.none} why={t.organisation.askOperator} />;
  }
  return (
    <Empty title={t.organisation.none} why={t.organisation.noneWhy}>
      <NameForm
        label={t.organisation.name}
        hint={t.organisation.nameHint}
        submit={t.organisation.make}
        busy={make.isPending}
        error={make.error}
        make={make.mutate}
      />
    </Empty>
  );
}
