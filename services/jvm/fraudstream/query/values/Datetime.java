package fraudstream.query.values;

/** A moment in UTC: ticks of 100 ns since 1970-01-01T00:00:00Z, within the years 1 to 9999. */
public final class Datetime implements Comparable<Datetime> {
    public static final long TICKS_PER_MICROSECOND = 10L;
    public static final long TICKS_PER_MILLISECOND = 10_000L;
    public static final long TICKS_PER_SECOND = 10_000_000L;
    public static final long TICKS_PER_DAY = 86_400L * TICKS_PER_SECOND;
    /** The ticks of 0001-01-01T00:00:00Z. */
    public static final long FIRST = -719_162L * TICKS_PER_DAY;
    /** The ticks of 9999-12-31T23:59:59.9999999Z. */
    public static final long LAST = 2_932_897L * TICKS_PER_DAY - 1;

    public final long ticks;

    public Datetime(long ticks) {
        this.ticks = ticks;
    }

    @Override
    public int compareTo(Datetime other) {
        return Long.compare(ticks, other.ticks);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Datetime && ((Datetime) other).ticks == ticks;
    }

    @Override
    public int hashCode() {
        return Long.hashCode(ticks);
    }

    /** The moment as the readers of {@code scored} know it: with microseconds, where there are any. */
    public String toMicroseconds() {
        String moment = toString();
        int fraction = moment.indexOf('.');
        int until = moment.endsWith(".0000000Z") ? fraction : moment.length() - (moment.endsWith("0Z") ? 2 : 1);
        return moment.substring(0, until) + 'Z';
    }

    /** The moment as {@code 2018-04-12T16:45:04.7530000Z}. */
    @Override
    public String toString() {
        return Moments.text(ticks);
    }
}
