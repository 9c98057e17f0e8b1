/**
 * Takes out of node_modules what this machine never loads: the binaries of other systems that packages bring along, and the package
 * with Node where the system's own is new enough. For servers and images, after `npm ci --omit=dev`; `npm ci` brings it all back.
 */
import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';

const MODULES = join(import.meta.dirname, '../../node_modules');

const before = megabytes(MODULES);
for (const platform of foldersOf('onnxruntime-node/bin/napi-v6')) {
  for (const arch of foldersOf(`onnxruntime-node/bin/napi-v6/${platform}`)) {
    if (platform !== process.platform || arch !== process.arch)
      remove(`onnxruntime-node/bin/napi-v6/${platform}/${arch}`);
  }
}
if (isNodeOfTheSystem()) for (const name of ['node', '.bin/node']) remove(name);
process.stdout.write(`node_modules: ${megabytes(MODULES)} MB, was ${before} MB\n`);

/** Whether the Node that runs this is not the one of the package, and reads TypeScript. */
function isNodeOfTheSystem() {
  return !process.execPath.startsWith(MODULES) && Number(process.versions.node.split('.')[0]) >= 24;
}

/** @param {string} path below node_modules */
function remove(path) {
  rmSync(join(MODULES, path), { recursive: true, force: true });
}

/** @param {string} path below node_modules */
function foldersOf(path) {
  try {
    return readdirSync(join(MODULES, path));
  } catch {
    return [];
  }
}

/** @param {string} folder */
function megabytes(folder) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const bytes = files.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
  return Math.round(bytes / 1e6);
}
