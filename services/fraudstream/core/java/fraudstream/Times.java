package fraudstream;

/** Times as the event and our own records write them, all in UTC. */
final class Times {
    static final long NO_TIME = Long.MIN_VALUE;

    private static final int[] DAYS = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    private Times() {
    }

    /** {@code dd/mm/YYYY HH:MM:SS} as seconds since 1970; {@link #NO_TIME} for anything else. */
    static long parse(String text) {
        if (text.length() != 19 || text.charAt(2) != '/' || text.charAt(5) != '/' || text.charAt(10) != ' '
            || text.charAt(13) != ':' || text.charAt(16) != ':') {
            return NO_TIME;
        }
        int day = digits(text, 0, 2);
        int month = digits(text, 3, 5);
        int year = digits(text, 6, 10);
        int hour = digits(text, 11, 13);
        int minute = digits(text, 14, 16);
        int second = digits(text, 17, 19);
        if (year < 1 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || hour < 0 || hour > 23
            || minute < 0 || minute > 59 || second < 0 || second > 59) {
            return NO_TIME;
        }
        return daysSince1970(year, month, day) * 86400L + hour * 3600L + minute * 60L + second;
    }

    /** Seconds since 1970 as {@code YYYY-mm-ddTHH:MM:SSZ}. */
    static String ofSeconds(long seconds) {
        StringBuilder text = new StringBuilder(24);
        append(text, seconds);
        return text.append('Z').toString();
    }

    /** Milliseconds since 1970 as {@code YYYY-mm-ddTHH:MM:SS.mmmZ}. */
    static String ofMillis(long millis) {
        StringBuilder text = new StringBuilder(24);
        append(text, Math.floorDiv(millis, 1000L));
        int rest = (int) Math.floorMod(millis, 1000L);
        text.append('.');
        padded(text, rest, 3);
        return text.append('Z').toString();
    }

    private static void append(StringBuilder text, long seconds) {
        long days = Math.floorDiv(seconds, 86400L);
        int rest = (int) Math.floorMod(seconds, 86400L);
        java.time.LocalDate date = java.time.LocalDate.ofEpochDay(days);
        padded(text, date.getYear(), 4);
        text.append('-');
        padded(text, date.getMonthValue(), 2);
        text.append('-');
        padded(text, date.getDayOfMonth(), 2);
        text.append('T');
        padded(text, rest / 3600, 2);
        text.append(':');
        padded(text, rest / 60 % 60, 2);
        text.append(':');
        padded(text, rest % 60, 2);
    }

    private static void padded(StringBuilder text, int number, int width) {
        String digits = Integer.toString(number);
        for (int missing = width - digits.length(); missing > 0; missing--) {
            text.append('0');
        }
        text.append(digits);
    }

    private static int digits(String text, int from, int until) {
        int number = 0;
        for (int at = from; at < until; at++) {
            char digit = text.charAt(at);
            if (digit < '0' || digit > '9') {
                return -1;
            }
            number = number * 10 + digit - '0';
        }
        return number;
    }

    private static int daysIn(int year, int month) {
        boolean leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        return month == 2 && leap ? 29 : DAYS[month - 1];
    }

    private static long daysSince1970(int year, int month, int day) {
        return java.time.LocalDate.of(year, month, day).toEpochDay();
    }
}
