// The software Vulkan driver that Chrome and Chromium carry: other programs run WebGPU on it where there is no card.
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findBrowser } from './browser.mjs';

export const SOFTWARE_DRIVER = 'vk_swiftshader_icd.json';

/** Path of its description, or undefined. */
function findSoftwareDriver() {
  const browser = findBrowser();
  const folders = [
    browser && dirname(realpathSync(browser)),
    '/usr/lib/chromium',
    '/usr/lib/chromium-browser',
    '/opt/google/chrome',
  ];
  return folders
    .map((folder) => folder && join(folder, SOFTWARE_DRIVER))
    .find((path) => path && existsSync(path));
}

/** Environment of a process that finds that driver alone, or undefined where no browser carries it. */
export function softwareEnvironment() {
  const driver = findSoftwareDriver();
  if (!driver) return undefined;
  // The folder also holds a Vulkan loader, which machines without a GPU often lack.
  const libraries = [process.env.LD_LIBRARY_PATH, dirname(driver)].filter(Boolean).join(':');
  return { VK_ICD_FILENAMES: driver, VK_DRIVER_FILES: driver, LD_LIBRARY_PATH: libraries };
}
