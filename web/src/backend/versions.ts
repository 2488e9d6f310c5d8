/** Anything the server counts the changes of: a greater `version` is newer, whatever way it came. */
interface Versioned {
  id: string;
  version: number;
}

/**
 * The newest known row of each id, by which everything that arrives is measured: snapshots, events and answers may overtake each
 * other, and only a greater version may win. One for each kind of row, outside React.
 */
export class NewestRows<Row extends Versioned> {
  readonly #rows = new Map<string, Row>();
  readonly #breaksTie: (known: Row, come: Row) => boolean;

  /** @param breaksTie whether what comes with the same version is newer nevertheless. */
  constructor(breaksTie: (known: Row, come: Row) => boolean = () => false) {
    this.#breaksTie = breaksTie;
  }

  get(id: string): Row | undefined {
    return this.#rows.get(id);
  }

  /** Takes a whole row and gives the newest there is: this one, or the very object that was known. */
  take(row: Row): Row {
    const known = this.#rows.get(row.id);
    if (known !== undefined && !this.#isNewer(known, row)) return known;
    this.#rows.set(row.id, row);
    return row;
  }

  /**
   * Takes a change of some columns. Gives the changed row, the very object that was known where the change is not newer, and
   * undefined where the row is not known: then it has to be fetched.
   */
  change(change: Partial<Row> & Versioned): Row | undefined {
    const known = this.#rows.get(change.id);
    if (known === undefined) return undefined;
    return this.take({ ...known, ...change });
  }

  /** Takes a whole row that was fetched because changes told only a part of it: the same version is good enough. */
  complete(row: Row): Row {
    const known = this.#rows.get(row.id);
    if (known !== undefined && known.version > row.version) return known;
    this.#rows.set(row.id, row);
    return row;
  }

  /** Somebody else signed in: what the last person saw is not theirs. */
  clear(): void {
    this.#rows.clear();
  }

  #isNewer(known: Row, come: Row): boolean {
    return come.version > known.version || (come.version === known.version && this.#breaksTie(known, come));
  }
}

/** The list with the newer row in its place; the same list where the row is not in it or is the same: it is not drawn again. */
export function replaceIn<Row extends { id: string }>(list: Row[], row: Row): Row[] {
  const index = list.findIndex((known) => known.id === row.id);
  return index < 0 || list[index] === row ? list : list.with(index, row);
}
