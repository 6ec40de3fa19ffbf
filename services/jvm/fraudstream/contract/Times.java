package fraudstream.contract;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.time.LocalDate;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How an event's time is written, read as microseconds since 1970 in UTC. {@code fraudstream.core.contract.times} is
 * the same in Python.
 */
final class Times {
    static final long NO_TIME = Long.MIN_VALUE;

    private static final int[] DAYS = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    private static final List<String> MONTHS =
        List.of("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec");
    private static final long SECOND = 1_000_000L;
    private static final long MINUTE = 60 * SECOND;
    private static final long HOUR = 60 * MINUTE;
    private static final long DAY = 24 * HOUR;
    // From the beginning of year 1 to the end of year 9999.
    private static final long LEAST = LocalDate.of(1, 1, 1).toEpochDay() * DAY;
    private static final long MOST = LocalDate.of(10_000, 1, 1).toEpochDay() * DAY - 1;
    private static final int DAY_FIRST_LENGTH = 19;
    private static final int MICRO_DIGITS = 6;
    // More digits before or behind the point than any moment has.
    private static final int MOST_DIGITS = 40;

    /** Whether a time is a number. */
    final boolean isNumber;
    /** Whether a text is {@code dd/mm/YYYY HH:MM:SS}, or one of ISO 8601. */
    final boolean isDayFirst;
    final boolean isIso;
    private final Pattern pattern;
    private final long unit;
    private final long origin;

    Times(JsonNode form) {
        isNumber = form.get("pattern").isNull();
        pattern = isNumber ? null : Pattern.compile(form.get("pattern").asText());
        unit = form.get("unit_micros").asLong();
        origin = form.get("origin_micros").asLong();
        isDayFirst = form.get("is_day_first").asBoolean();
        isIso = form.get("is_iso").asBoolean();
    }

    /** A number as microseconds; {@link #NO_TIME} for one that is no moment. */
    long of(Digits number) {
        if (number.isLong()) {
            long units = number.asLong();
            long high = Math.multiplyHigh(units, unit);
            long low = units * unit;
            return high == low >> 63 ? inside(low) : NO_TIME;
        }
        BigDecimal units = number.exact(MOST_DIGITS);
        if (units == null) {
            return NO_TIME;
        }
        BigInteger micros = units.multiply(BigDecimal.valueOf(unit)).setScale(0, RoundingMode.FLOOR).toBigInteger();
        return micros.bitLength() < Long.SIZE ? inside(micros.longValue()) : NO_TIME;
    }

    /** The sum with the origin, where a datetime has room for it. */
    private long inside(long micros) {
        long sum = micros + origin;
        boolean overflows = ((micros ^ sum) & (origin ^ sum)) < 0;
        return overflows || sum < LEAST || sum > MOST ? NO_TIME : sum;
    }

    /** A text as microseconds; {@link #NO_TIME} for another form, or a moment that does not exist. */
    long of(String text) {
        Matcher matcher = pattern.matcher(text);
        return matcher.matches() ? moment(new Parts(matcher, pattern)) : NO_TIME;
    }

    private static long moment(Parts parts) {
        int year = parts.number("Y");
        if (year < 0) {
            // POSIX's rule for years of two digits.
            int within = parts.number("y");
            year = within + (within >= 69 ? 1900 : 2000);
        }
        int month = parts.number("m");
        String name = parts.text("b");
        if (name != null) {
            month = MONTHS.indexOf(name.toLowerCase(Locale.ROOT)) + 1;
        }
        int hour = Math.max(parts.number("H"), 0);
        int clock = parts.number("I");
        if (clock >= 0) {
            if (clock < 1 || clock > 12) {
                return NO_TIME;
            }
            hour = clock % 12 + ("pm".equals(parts.text("p").toLowerCase(Locale.ROOT)) ? 12 : 0);
        }
        String fraction = parts.text("f");
        long micros = fraction == null ? 0 : Long.parseLong((fraction + "000000").substring(0, MICRO_DIGITS));
        long local = moment(
            year, month, parts.number("d"), hour, Math.max(parts.number("M"), 0), Math.max(parts.number("S"), 0));
        long offset = offset(parts.text("z"));
        if (local == NO_TIME || offset == NO_TIME) {
            return NO_TIME;
        }
        long moment = local + micros - offset;
        return moment < LEAST || moment > MOST ? NO_TIME : moment;
    }

    /** An offset from UTC: {@code Z}, or a sign with two or four digits; null for UTC. */
    private static long offset(String text) {
        if (text == null || "Z".equalsIgnoreCase(text)) {
            return 0;
        }
        String digits = text.substring(1).replace(":", "");
        int hours = Integer.parseInt(digits.substring(0, 2));
        int minutes = digits.length() > 2 ? Integer.parseInt(digits.substring(2)) : 0;
        if (hours > 23 || minutes > 59) {
            return NO_TIME;
        }
        long offset = hours * HOUR + minutes * MINUTE;
        return text.charAt(0) == '-' ? -offset : offset;
    }

    private static long moment(int year, int month, int day, int hour, int minute, int second) {
        if (year < 1 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || hour < 0 || hour > 23
            || minute < 0 || minute > 59 || second < 0 || second > 59) {
            return NO_TIME;
        }
        return LocalDate.of(year, month, day).toEpochDay() * DAY + hour * HOUR + minute * MINUTE + second * SECOND;
    }

    private static int daysIn(int year, int month) {
        boolean leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        return month == 2 && leap ? 29 : DAYS[month - 1];
    }

    /**
     * A text in ASCII as microseconds, read without a regular expression where it is of a form that nearly all senders
     * write; {@link #NO_TIME} for anything else, which may be a time all the same.
     */
    long plain(byte[] text, int from, int until) {
        if (isDayFirst) {
            return dayFirst(text, from, until - from);
        }
        return isIso ? iso(text, from, until) : NO_TIME;
    }

    private static long dayFirst(byte[] text, int from, int length) {
        if (length != DAY_FIRST_LENGTH || text[from + 2] != '/' || text[from + 5] != '/' || text[from + 10] != ' '
            || text[from + 13] != ':' || text[from + 16] != ':') {
            return NO_TIME;
        }
        return moment(
            digits(text, from + 6, 4), digits(text, from + 3, 2), digits(text, from, 2),
            digits(text, from + 11, 2), digits(text, from + 14, 2), digits(text, from + 17, 2));
    }

    /** {@code YYYY-mm-ddTHH:MM:SS} with up to nine decimals, in UTC. */
    private static long iso(byte[] text, int from, int until) {
        int end = until > from && text[until - 1] == 'Z' ? until - 1 : until;
        if (end - from < DAY_FIRST_LENGTH || text[from + 4] != '-' || text[from + 7] != '-'
            || text[from + 10] != 'T' && text[from + 10] != ' ' || text[from + 13] != ':' || text[from + 16] != ':') {
            return NO_TIME;
        }
        int decimals = Math.max(end - from - DAY_FIRST_LENGTH - 1, 0);
        long micros = 0;
        if (end - from > DAY_FIRST_LENGTH) {
            micros = text[from + DAY_FIRST_LENGTH] == '.' && decimals > 0 && decimals <= 9
                ? digits(text, from + DAY_FIRST_LENGTH + 1, decimals) : -1;
            for (int digit = decimals; digit < MICRO_DIGITS; digit++) {
                micros *= 10;
            }
            for (int digit = MICRO_DIGITS; digit < decimals; digit++) {
                micros = micros < 0 ? micros : micros / 10;
            }
        }
        long second = moment(
            digits(text, from, 4), digits(text, from + 5, 2), digits(text, from + 8, 2),
            digits(text, from + 11, 2), digits(text, from + 14, 2), digits(text, from + 17, 2));
        return micros < 0 || second == NO_TIME ? NO_TIME : second + micros;
    }

    private static int digits(byte[] text, int from, int count) {
        int number = 0;
        for (int at = from; at < from + count; at++) {
            int digit = text[at] - '0';
            if (digit < 0 || digit > 9) {
                return -1;
            }
            number = number * 10 + digit;
        }
        return number;
    }

    /** The groups of a text, by their names. */
    private record Parts(Matcher matcher, Pattern pattern) {
        /** Null for a group that the form does not have, or the text does not. */
        String text(String name) {
            return pattern.pattern().contains("(?<" + name + ">") ? matcher.group(name) : null;
        }

        /** The number of a group's digits; -1 without it. */
        int number(String name) {
            String digits = text(name);
            return digits == null ? -1 : Integer.parseInt(digits);
        }
    }
}
