// How many calls are in hand, over all listeners: beyond what the daemon takes, one is refused rather than left waiting.

export interface Load {
  /** Counts one more, and gives how to count it off; undefined when there are as many as may be. */
  begin(): (() => void) | undefined;
}

export function createLoad(most: number): Load {
  let inHand = 0;
  return {
    begin() {
      if (inHand >= most) return undefined;
      inHand += 1;
      let isCounted = true;
      return () => {
        if (isCounted) inHand -= 1;
        isCounted = false;
      };
    },
  };
}
