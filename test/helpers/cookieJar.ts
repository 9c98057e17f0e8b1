/** A browser as far as redirects, cookies and forms go, for whoever signs in without one. */

export interface CookieJar {
  /** Follows redirects, each with the cookies of its host and port; the last answer. */
  visit(url: string, init?: RequestInit): Promise<{ response: Response; url: string; text: string }>;
  /** Sends the form of a page with its hidden fields. */
  submit(page: { url: string; text: string }, fields: Record<string, string>): ReturnType<CookieJar['visit']>;
  get(origin: string, name: string): string | undefined;
}

const MOST_REDIRECTS = 20;

/** @param seesRedirect is shown each address before it is visited, and may name another */
export function cookieJar(seesRedirect: (url: string) => string = (url) => url): CookieJar {
  const jar = new Map<string, Map<string, string>>();
  const of = (origin: string) => {
    const cookies = jar.get(origin) ?? new Map<string, string>();
    jar.set(origin, cookies);
    return cookies;
  };
  const itself: CookieJar = {
    get: (origin, name) => of(origin).get(name),
    async visit(start, init = {}) {
      let url = start;
      let request = init;
      for (let hops = 0; hops < MOST_REDIRECTS; hops++) {
        const cookies = of(new URL(url).origin);
        const response = await fetch(url, {
          ...request,
          redirect: 'manual',
          headers: {
            ...request.headers,
            Cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; '),
          },
        });
        for (const line of response.headers.getSetCookie()) {
          const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
          if (value === '' || /max-age=0\b|expires=Thu, 01 Jan 1970/i.test(line)) cookies.delete(name);
          else cookies.set(name, value);
        }
        const location = response.headers.get('location');
        if (location === null) return { response, url, text: await response.text() };
        await response.body?.cancel();
        url = seesRedirect(new URL(location, url).href);
        request = {};
      }
      throw new Error(`more than ${MOST_REDIRECTS} redirects from ${start}`);
    },
    submit({ url, text }, fields) {
      const action = /<form[^>]*action="([^"]*)"/.exec(text)?.[1] ?? url;
      const hidden = [...text.matchAll(/<input[^>]*type="hidden"[^>]*>/g)].map(([tag]) => [
        /name="([^"]*)"/.exec(tag)?.[1] ?? '',
        /value="([^"]*)"/.exec(tag)?.[1] ?? '',
      ]);
      const body = new URLSearchParams({ ...Object.fromEntries(hidden), ...fields });
      return itself.visit(new URL(action.replaceAll('&amp;', '&'), url).href, { method: 'POST', body });
    },
  };
  return itself;
}
