package fraudstream.query.values;

/** The Gregorian calendar in ticks, and the ISO texts of moments. All in UTC. */
public final class Moments {
    private static final long TICKS_PER_MINUTE = 60L * Datetime.TICKS_PER_SECOND;
    private static final int FRACTION_DIGITS = 7;
    private static final int MOST_OFFSET_MINUTES = 14 * 60;
    private static final int[] DAYS = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    private Moments() {
    }

    /** Days from 1970-01-01 to a date; month and day begin at 1. */
    public static long days(long year, int month, int day) {
        // Years that begin in March, so that the leap day is the last one.
        long shifted = month <= 2 ? year - 1 : year;
        long era = Math.floorDiv(shifted, 400L);
        long yearOfEra = shifted - era * 400;
        long dayOfYear = (153L * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468;
    }

    /** Year, month and day of the date that lies so many days after 1970-01-01, as {@code year * 10000 + 100 m + d}. */
    public static int date(long days) {
        long shifted = days + 719_468;
        long era = Math.floorDiv(shifted, 146_097L);
        long dayOfEra = shifted - era * 146_097;
        long yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365;
        long dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
        long monthFromMarch = (5 * dayOfYear + 2) / 153;
        long day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1;
        long month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
        long year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
        return (int) (year * 10_000 + month * 100 + day);
    }

    public static int daysOfMonth(long year, int month) {
        return month == 2 && days(year, 3, 1) - days(year, 2, 1) == 29 ? 29 : DAYS[month - 1];
    }

    static String text(long ticks) {
        StringBuilder text = new StringBuilder(28);
        write(text, ticks);
        return text.toString();
    }

    /** Writes {@code 2018-04-12T16:45:04.7530000Z}. */
    public static void write(StringBuilder to, long ticks) {
        int date = date(Math.floorDiv(ticks, Datetime.TICKS_PER_DAY));
        long rest = Math.floorMod(ticks, Datetime.TICKS_PER_DAY);
        int seconds = (int) (rest / Datetime.TICKS_PER_SECOND);
        digits(to, date / 10_000, 4);
        digits(to.append('-'), date / 100 % 100, 2);
        digits(to.append('-'), date % 100, 2);
        digits(to.append('T'), seconds / 3600, 2);
        digits(to.append(':'), seconds / 60 % 60, 2);
        digits(to.append(':'), seconds % 60, 2);
        digits(to.append('.'), (int) (rest % Datetime.TICKS_PER_SECOND), FRACTION_DIGITS);
        to.append('Z');
    }

    private static void digits(StringBuilder to, int number, int width) {
        int power = 1;
        for (int place = 1; place < width; place++) {
            power *= 10;
        }
        for (; power > 0; power /= 10) {
            to.append((char) ('0' + number / power % 10));
        }
    }

    /**
     * The moment that an ISO 8601 text names, or null: a date, and behind a {@code T} or a blank a time to the minute,
     * the second or a fraction of it, and an offset. Without an offset it is in UTC. Digits of a fraction beyond the
     * seventh are rounded.
     */
    public static Datetime read(String text) {
        int until = text.length();
        int from = 0;
        while (from < until && text.charAt(from) <= ' ') {
            from++;
        }
        while (until > from && text.charAt(until - 1) <= ' ') {
            until--;
        }
        int year = number(text, from, from + 4, until);
        int month = number(text, from + 5, from + 7, until);
        int day = number(text, from + 8, from + 10, until);
        if (year < 1 || month < 1 || month > 12 || day < 1 || day > daysOfMonth(year, month)
            || text.charAt(from + 4) != '-' || text.charAt(from + 7) != '-') {
            return null;
        }
        long ticks = days(year, month, day) * Datetime.TICKS_PER_DAY;
        return from + 10 == until ? new Datetime(ticks) : readTime(text, from + 10, until, ticks);
    }

    private static Datetime readTime(String text, int separator, int until, long date) {
        char between = text.charAt(separator);
        int hour = number(text, separator + 1, separator + 3, until);
        int minute = number(text, separator + 4, separator + 6, until);
        if (between != 'T' && between != ' ' && between != 't' || hour < 0 || hour > 23 || minute < 0 || minute > 59
            || text.charAt(separator + 3) != ':') {
            return null;
        }
        long ticks = date + (hour * 60L + minute) * TICKS_PER_MINUTE;
        int at = separator + 6;
        if (at < until && text.charAt(at) == ':') {
            int second = number(text, at + 1, at + 3, until);
            if (second < 0 || second > 59) {
                return null;
            }
            ticks += second * Datetime.TICKS_PER_SECOND;
            at += 3;
            if (at < until && (text.charAt(at) == '.' || text.charAt(at) == ',')) {
                int end = digitsEnd(text, at + 1, until);
                if (end == at + 1) {
                    return null;
                }
                ticks += fraction(text, at + 1, end);
                at = end;
            }
        }
        return shifted(text, at, until, ticks);
    }

    private static int digitsEnd(String text, int from, int until) {
        int at = from;
        while (at < until && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
            at++;
        }
        return at;
    }

    private static long fraction(String text, int from, int until) {
        long ticks = 0;
        for (int place = 0; place < FRACTION_DIGITS; place++) {
            ticks = ticks * 10 + (from + place < until ? text.charAt(from + place) - '0' : 0);
        }
        return from + FRACTION_DIGITS < until && text.charAt(from + FRACTION_DIGITS) >= '5' ? ticks + 1 : ticks;
    }

    private static Datetime shifted(String text, int offset, int until, long local) {
        int at = offset < until && text.charAt(offset) == ' ' ? offset + 1 : offset;
        if (at == until || at + 1 == until && (text.charAt(at) == 'Z' || text.charAt(at) == 'z')) {
            return within(local);
        }
        char sign = text.charAt(at);
        int hours = number(text, at + 1, at + 3, until);
        if (sign != '+' && sign != '-' || hours < 0) {
            return null;
        }
        int rest = at + 3 < until && text.charAt(at + 3) == ':' ? at + 4 : at + 3;
        int minutes = at + 3 == until ? 0 : number(text, rest, rest + 2, until);
        if (minutes < 0 || minutes > 59 || at + 3 != until && rest + 2 != until
            || hours * 60 + minutes > MOST_OFFSET_MINUTES) {
            return null;
        }
        long shift = (hours * 60L + minutes) * TICKS_PER_MINUTE;
        return within(sign == '+' ? local - shift : local + shift);
    }

    private static Datetime within(long ticks) {
        return ticks < Datetime.FIRST || ticks > Datetime.LAST ? null : new Datetime(ticks);
    }

    private static int number(String text, int from, int end, int until) {
        if (end > until) {
            return -1;
        }
        int number = 0;
        for (int at = from; at < end; at++) {
            int digit = text.charAt(at) - '0';
            if (digit < 0 || digit > 9) {
                return -1;
            }
            number = number * 10 + digit;
        }
        return number;
    }
}
