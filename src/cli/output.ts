/** Standard output of a short-lived command. */

/** Resolves when it has been taken; rejects when it could not be, unless the reader has simply gone (EPIPE). */
export async function writeOut(text: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      if (error.code === 'EPIPE') resolve();
      else reject(error);
    };
    process.stdout.once('error', failed);
    process.stdout.write(text, (error) => {
      if (error) return;
      process.stdout.off('error', failed);
      resolve();
    });
  });
}
