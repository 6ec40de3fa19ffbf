package fraudstream.query.windows;

import fraudstream.query.values.Datetime;

/** Equal intervals (start, end] whose ends are multiples of their length since 0001-01-01T00:00:00Z, plus an offset. */
public final class Alignment {
    private final long length;
    private final long shift;

    public Alignment(long length, long offset) {
        this.length = length;
        shift = Math.floorMod(Datetime.FIRST + offset, length);
    }

    /** The end of the interval that holds a time. */
    public long endOf(long time) {
        return time + Math.floorMod(shift - time, length);
    }

    /** The latest end that is not after a time. */
    long floor(long time) {
        return time - Math.floorMod(time - shift, length);
    }
}
