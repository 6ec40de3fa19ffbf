package fraudstream.contract;

import java.time.LocalDate;

/** An event's time, in UTC. */
final class Times {
    static final int LENGTH = 19;
    static final long NO_TIME = Long.MIN_VALUE;

    private static final int[] DAYS = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    private Times() {
    }

    /** {@code dd/mm/YYYY HH:MM:SS} in ASCII as seconds since 1970; {@link #NO_TIME} for anything else. */
    static long parse(byte[] text, int from, int length) {
        if (length != LENGTH || text[from + 2] != '/' || text[from + 5] != '/' || text[from + 10] != ' '
            || text[from + 13] != ':' || text[from + 16] != ':') {
            return NO_TIME;
        }
        int day = digits(text, from, 2);
        int month = digits(text, from + 3, 2);
        int year = digits(text, from + 6, 4);
        int hour = digits(text, from + 11, 2);
        int minute = digits(text, from + 14, 2);
        int second = digits(text, from + 17, 2);
        if (year < 1 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || hour < 0 || hour > 23
            || minute < 0 || minute > 59 || second < 0 || second > 59) {
            return NO_TIME;
        }
        return LocalDate.of(year, month, day).toEpochDay() * 86400L + hour * 3600L + minute * 60L + second;
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

    private static int daysIn(int year, int month) {
        boolean leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        return month == 2 && leap ? 29 : DAYS[month - 1];
    }
}
