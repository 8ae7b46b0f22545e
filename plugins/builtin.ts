// The plugins inside the executable, by what a config imports. All are loaded when a config is: a heavy library belongs
// behind an `import()` in its plugin's setup.
export const modules = {
  sltv: () => import('sltv'),
  'sltv/autoextend': () => import('sltv/autoextend'),
  'sltv/dir': () => import('sltv/dir'),
  'sltv/etcd-lock': () => import('sltv/etcd-lock'),
  'sltv/libvirt': () => import('sltv/libvirt'),
  'sltv/local-lock': () => import('sltv/local-lock'),
  'sltv/lvm': () => import('sltv/lvm'),
  'sltv/metrics': () => import('sltv/metrics'),
  'sltv/notify': () => import('sltv/notify'),
};

/** The config that serves where there is no file. */
export const defaultConfig = async (): Promise<unknown> => (await import('./default.config.ts')).default;
