package fraudstream.query.functions;

import fraudstream.query.values.Datetime;
import fraudstream.query.values.Moments;
import fraudstream.query.values.QueryStopped;
import fraudstream.query.values.Values;
import java.util.Arrays;
import java.util.Map;

/** Functions on datetimes and ISO texts, in UTC. Weeks begin on Sunday; the one of 1 January is the first. */
final class DateFunctions {
    private static final String[] MONTHS = {"January", "February", "March", "April", "May", "June", "July", "August",
        "September", "October", "November", "December"};
    private static final String[] WEEKDAYS =
        {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
    // 1970-01-01 was a Thursday.
    private static final int FIRST_WEEKDAY = 4;

    private DateFunctions() {
    }

    static void addTo(Map<String, Function> table) {
        Functions.add(table, "dateadd", 3, 3, arguments -> added(arguments));
        Functions.add(table, "datediff", 3, 3, arguments -> difference((String) arguments[0],
            Arguments.moment(arguments[1]).ticks, Arguments.moment(arguments[2]).ticks));
        Functions.add(table, "datepart", 2, 2,
            arguments -> part((String) arguments[0], Arguments.moment(arguments[1]).ticks));
        Functions.add(table, "datename", 2, 2,
            arguments -> name((String) arguments[0], Arguments.moment(arguments[1]).ticks));
        Functions.add(table, "day", 1, 1, arguments -> part("day", Arguments.moment(arguments[0]).ticks));
        Functions.add(table, "month", 1, 1, arguments -> part("month", Arguments.moment(arguments[0]).ticks));
        Functions.add(table, "year", 1, 1, arguments -> part("year", Arguments.moment(arguments[0]).ticks));
        Functions.add(table, "datetimefromparts", 7, 7, arguments -> fromParts(arguments));
    }

    /** The ticks of a unit that is always of the same length; 0 for another one. */
    private static long length(String unit) {
        switch (unit) {
            case "week":
                return 7 * Datetime.TICKS_PER_DAY;
            case "day":
            case "dayofyear":
            case "weekday":
                return Datetime.TICKS_PER_DAY;
            case "hour":
                return 3600 * Datetime.TICKS_PER_SECOND;
            case "minute":
                return 60 * Datetime.TICKS_PER_SECOND;
            case "second":
                return Datetime.TICKS_PER_SECOND;
            case "millisecond":
                return Datetime.TICKS_PER_MILLISECOND;
            case "microsecond":
                return 10;
            default:
                return 0;
        }
    }

    /** The months of a unit that is made of them. */
    private static int months(String unit) {
        switch (unit) {
            case "year":
                return 12;
            case "quarter":
                return 3;
            case "month":
                return 1;
            default:
                throw new QueryStopped("There is no date part " + unit + ".");
        }
    }

    private static Datetime added(Object[] arguments) {
        String unit = (String) arguments[0];
        long count = Arguments.integer(arguments[1]);
        Datetime moment = Arguments.moment(arguments[2]);
        long length = length(unit);
        try {
            long ticks = length > 0 ? Math.addExact(moment.ticks, Math.multiplyExact(count, length))
                : withMonths(moment.ticks, Math.multiplyExact(count, months(unit)));
            if (ticks >= Datetime.FIRST && ticks <= Datetime.LAST) {
                return new Datetime(ticks);
            }
        } catch (ArithmeticException error) {
            // The same as a date out of range.
        }
        throw new QueryStopped(
            moment + " and " + count + " times " + unit + " leave the years 1 to 9999.");
    }

    /** The day is at most the month's last. */
    private static long withMonths(long ticks, long count) {
        int date = Moments.date(Math.floorDiv(ticks, Datetime.TICKS_PER_DAY));
        long months = Math.addExact(date / 10_000 * 12L + date / 100 % 100 - 1, count);
        long year = Math.floorDiv(months, 12L);
        if (year < 1 || year > 9999) {
            throw new ArithmeticException();
        }
        int month = (int) Math.floorMod(months, 12L) + 1;
        int day = Math.min(date % 100, Moments.daysOfMonth(year, month));
        return Moments.days(year, month, day) * Datetime.TICKS_PER_DAY + Math.floorMod(ticks, Datetime.TICKS_PER_DAY);
    }

    /** How many boundaries of the unit lie between two moments. */
    static Long difference(String unit, long from, long until) {
        long length = length(unit);
        if (length == 0) {
            return Math.floorDiv(month(until), (long) months(unit)) - Math.floorDiv(month(from), (long) months(unit));
        }
        if ("week".equals(unit)) {
            return week(until) - week(from);
        }
        return Math.floorDiv(until, length) - Math.floorDiv(from, length);
    }

    private static long month(long ticks) {
        int date = Moments.date(Math.floorDiv(ticks, Datetime.TICKS_PER_DAY));
        return date / 10_000 * 12L + date / 100 % 100 - 1;
    }

    private static long week(long ticks) {
        return Math.floorDiv(Math.floorDiv(ticks, Datetime.TICKS_PER_DAY) + FIRST_WEEKDAY, 7L);
    }

    private static int weekday(long days) {
        return (int) Math.floorMod(days + FIRST_WEEKDAY, 7L);
    }

    private static Long part(String unit, long ticks) {
        long days = Math.floorDiv(ticks, Datetime.TICKS_PER_DAY);
        long rest = Math.floorMod(ticks, Datetime.TICKS_PER_DAY);
        switch (unit) {
            case "hour":
                return rest / length("hour");
            case "minute":
                return rest / length("minute") % 60;
            case "second":
                return rest / Datetime.TICKS_PER_SECOND % 60;
            case "millisecond":
                return rest % Datetime.TICKS_PER_SECOND / Datetime.TICKS_PER_MILLISECOND;
            case "microsecond":
                return rest % Datetime.TICKS_PER_SECOND / 10;
            case "weekday":
                return weekday(days) + 1L;
            default:
                return part(unit, days, Moments.date(days));
        }
    }

    private static Long part(String unit, long days, int date) {
        long year = date / 10_000;
        int month = date / 100 % 100;
        long newYear = Moments.days(year, 1, 1);
        switch (unit) {
            case "year":
                return year;
            case "quarter":
                return (month + 2L) / 3;
            case "month":
                return (long) month;
            case "day":
                return date % 100L;
            case "dayofyear":
                return days - newYear + 1;
            case "week":
                return (days - newYear + weekday(newYear)) / 7 + 1;
            default:
                throw new QueryStopped("There is no date part " + unit + ".");
        }
    }

    private static String name(String unit, long ticks) {
        long number = part(unit, ticks);
        return "month".equals(unit) ? MONTHS[(int) number - 1]
            : "weekday".equals(unit) ? WEEKDAYS[(int) number - 1] : Long.toString(number);
    }

    private static Datetime fromParts(Object[] arguments) {
        long[] parts = new long[arguments.length];
        for (int place = 0; place < parts.length; place++) {
            parts[place] = Arguments.integer(arguments[place]);
        }
        boolean isDate = isWithin(parts[0], 1, 9999) && isWithin(parts[1], 1, 12)
            && isWithin(parts[2], 1, Moments.daysOfMonth(parts[0], (int) parts[1]));
        if (!isDate || !isWithin(parts[3], 0, 23) || !isWithin(parts[4], 0, 59) || !isWithin(parts[5], 0, 59)
            || !isWithin(parts[6], 0, 999)) {
            throw new QueryStopped("These parts are no date and time: "
                + Values.shown(Arrays.asList(arguments)) + ".");
        }
        long seconds = (parts[3] * 60 + parts[4]) * 60 + parts[5];
        return new Datetime(Moments.days(parts[0], (int) parts[1], (int) parts[2]) * Datetime.TICKS_PER_DAY
            + seconds * Datetime.TICKS_PER_SECOND + parts[6] * Datetime.TICKS_PER_MILLISECOND);
    }

    private static boolean isWithin(long value, long least, long most) {
        return value >= least && value <= most;
    }
}
