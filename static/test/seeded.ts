// Random numbers that are the same in every run, and short crowded texts with what texts are made of.

/** 0 ≤ n < below, from a seed (mulberry32). */
export function seeded(seed: number): (below: number) => number {
  let a = seed >>> 0;
  return below => {
    a = (a + 0x6d2b79f5) >>> 0;
    let t = Math.imul(a ^ (a >>> 15), a | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

const PIECES = ["a", "b", "las", "100", "2,5", " ", " ", "\n", "\n\n", ".", "🌳", "é", "ż", "1. "];

export function crowded(random: (below: number) => number, most = 8): string {
  return Array.from({ length: random(most + 1) }, () => PIECES[random(PIECES.length)]!).join("");
}
