// Every loader of libvips is a parser of hostile input: only four may run, and only on bytes in memory.

// libvips reads this when sharp loads it, hence the import below.
process.env['VIPS_BLOCK_UNTRUSTED'] = '1';
const { default: sharp } = await import('sharp');

sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({
  operation: [
    'VipsForeignLoadJpegBuffer',
    'VipsForeignLoadPngBuffer',
    'VipsForeignLoadWebpBuffer',
    'VipsForeignLoadNsgifBuffer',
  ],
});
// One process a core: libvips' own threads would only fight, and no image comes twice.
sharp.concurrency(1);
sharp.cache(false);

export { sharp };
