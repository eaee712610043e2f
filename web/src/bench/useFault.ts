import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { Device, Fault, Home } from '../api/model';
import { useServices } from '../session/session';
import { homeQuery } from './queries';

/** Changes how a virtual device misbehaves: shown at once, taken back when the server says no. */
export function useFault(home: Home) {
  const { api } = useServices();
  const client = useQueryClient();
  const put = (device: string, fault: string) =>
    client.setQueryData(homeQuery(api, home.id).queryKey, (h) =>
      h ? { ...h, devices: h.devices.map((d) => (d.id === device ? { ...d, fault } : d)) } : h,
    );
  return useMutation({
    mutationFn: ({ device, fault }: { device: Device; fault: Fault }) => api.setFault(device.id, fault),
    onMutate: ({ device, fault }) => void put(device.id, fault),
    onError: (_, { device }) => void put(device.id, device.fault),
  });
}
