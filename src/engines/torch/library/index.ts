export async function findOrGetTorch(_: object): Promise<{ folder: string }> {
  return { folder: process.env.RESNODE_LIBTORCH ?? '' };
}
