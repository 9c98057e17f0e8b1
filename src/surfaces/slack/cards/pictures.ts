/** Pictures in Slack: each chart is drawn and uploaded once, then shown again by its file id. */
import { createHash } from 'node:crypto';
import type { webApi } from '@slack/bolt';
import { LRUCache } from 'lru-cache';
import { canonicalJson } from '../../../core/canonicalJson.ts';
import type { ChartRenderer, ChartSpec } from '../../../core/chart.ts';
import type { Log } from '../../../core/ports/ports.ts';
import { slackProblem } from './problems.ts';
import { type Block, picture } from './text.ts';

export interface Pictures {
  /** The chart as an image block; null when there is none or Slack would not take it, which never spoils an answer. */
  show(chart: ChartSpec | null): Promise<Block | null>;
}

const MOST = 500;
/** A fresh upload is refused in a block until Slack has looked at it, which takes a second or two. */
const LOOKS = 10;
const POLL_EVERY_MS = 300;

export function createPictures(client: webApi.WebClient, charts: ChartRenderer, log: Log): Pictures {
  const uploads = new LRUCache<string, Promise<string>>({ max: MOST });

  async function upload(chart: ChartSpec): Promise<string> {
    const png = Buffer.from(await charts.png(chart));
    const filename = `${chart.title.toLowerCase().replace(/[^a-z0-9]+/g, '-')}.png`;
    const { files } = await client.filesUploadV2({
      filename,
      file: png,
      title: chart.title,
      alt_text: chart.alt,
    });
    const id = files[0]?.files?.[0]?.id;
    if (!id) throw new Error('Slack took the upload and named no file');
    await ready(id);
    return id;
  }

  async function ready(id: string): Promise<void> {
    for (let look = 0; look < LOOKS; look++) {
      const { file } = await client.files.info({ file: id });
      if (file?.mimetype) return;
      await new Promise((resolve) => setTimeout(resolve, POLL_EVERY_MS));
    }
  }

  return {
    async show(chart) {
      if (!chart) return null;
      const key = createHash('sha256')
        .update(canonicalJson(plainDates(chart)))
        .digest('hex');
      let id = uploads.get(key);
      if (!id) {
        id = upload(chart);
        uploads.set(key, id);
      }
      try {
        return picture(await id, chart.alt);
      } catch (error) {
        uploads.delete(key);
        log.warn(
          { chart: chart.title, problem: slackProblem(error).message },
          'a picture could not be uploaded to Slack',
        );
        return null;
      }
    },
  };
}

function plainDates(chart: ChartSpec): unknown {
  return JSON.parse(JSON.stringify(chart));
}
