package fraudstream.query.functions;

import fraudstream.query.values.Casts;
import fraudstream.query.values.QueryStopped;
import fraudstream.query.values.Values;
import java.util.Locale;
import java.util.Map;

/**
 * Functions on texts. Positions begin at 1 and count UTF-16 units; numbers, bits and datetimes are turned into text.
 */
final class TextFunctions {
    private static final int LAST_CHARACTER = 1_114_111;
    // Of a search: the text's length times that of what is looked for.
    private static final long MOST_COMPARISONS = 1L << 34;

    private TextFunctions() {
    }

    static void addTo(Map<String, Function> table) {
        Functions.add(table, "len", 1, 1, arguments -> length(text(arguments, 0)));
        Functions.add(table, "lower", 1, 1, arguments -> text(arguments, 0).toLowerCase(Locale.ROOT));
        Functions.add(table, "upper", 1, 1, arguments -> text(arguments, 0).toUpperCase(Locale.ROOT));
        Functions.add(table, "reverse", 1, 1,
            arguments -> new StringBuilder(text(arguments, 0)).reverse().toString());
        Functions.add(table, "ltrim", 1, 1, arguments -> trimmed(text(arguments, 0), true, false));
        Functions.add(table, "rtrim", 1, 1, arguments -> trimmed(text(arguments, 0), false, true));
        Functions.add(table, "trim", 1, 1, arguments -> trimmed(text(arguments, 0), true, true));
        Functions.add(table, "left", 2, 2, arguments -> left(text(arguments, 0), Arguments.count(arguments[1])));
        Functions.add(table, "right", 2, 2, arguments -> right(text(arguments, 0), Arguments.count(arguments[1])));
        Functions.add(table, "substring", 3, 3, arguments -> substring(arguments));
        Functions.add(table, "stuff", 4, 4, arguments -> stuffed(arguments));
        Functions.add(table, "replace", 3, 3, arguments -> replaced(arguments));
        Functions.add(table, "translate", 3, 3, arguments -> translated(arguments));
        Functions.add(table, "replicate", 2, 2,
            arguments -> repeated(text(arguments, 0), Arguments.integer(arguments[1])));
        Functions.add(table, "space", 1, 1, arguments -> repeated(" ", Arguments.integer(arguments[0])));
        Functions.add(table, "charindex", 2, 3, arguments -> place(arguments));
        Functions.add(table, "nchar", 1, 1, arguments -> character(Arguments.integer(arguments[0])));
        Functions.add(table, "unicode", 1, 1, arguments -> code(text(arguments, 0)));
        Functions.addTakingNulls(table, "concat", 2, Function.ANY, arguments -> joined(arguments));
        Functions.addTakingNulls(table, "concat_ws", 2, Function.ANY, arguments -> joinedWithSeparator(arguments));
    }

    private static String text(Object[] arguments, int place) {
        return Casts.text(arguments[place]);
    }

    private static Long length(String text) {
        int until = text.length();
        while (until > 0 && text.charAt(until - 1) == ' ') {
            until--;
        }
        return (long) until;
    }

    private static boolean isSpace(char unit) {
        return unit >= '\t' && unit <= '\r' || unit == '\u0085' || Character.isSpaceChar(unit);
    }

    private static String trimmed(String text, boolean atFront, boolean atEnd) {
        int from = 0;
        int until = text.length();
        while (atFront && from < until && isSpace(text.charAt(from))) {
            from++;
        }
        while (atEnd && until > from && isSpace(text.charAt(until - 1))) {
            until--;
        }
        return text.substring(from, until);
    }

    private static int length(long count) {
        if (count < 0) {
            throw new QueryStopped("The length " + count + " is negative.");
        }
        return (int) count;
    }

    private static String left(String text, long count) {
        return text.substring(0, Math.min(text.length(), length(count)));
    }

    private static String right(String text, long count) {
        return text.substring(Math.max(0, text.length() - length(count)));
    }

    private static String substring(Object[] arguments) {
        String text = text(arguments, 0);
        long start = Arguments.count(arguments[1]);
        long end = start - 1 + length(Arguments.count(arguments[2]));
        int from = (int) Math.min(Math.max(start - 1, 0), text.length());
        return text.substring(from, (int) Math.max(from, Math.min(end, text.length())));
    }

    private static String stuffed(Object[] arguments) {
        String text = text(arguments, 0);
        long start = Math.max(1, Arguments.count(arguments[1]));
        long count = length(Arguments.count(arguments[2]));
        if (start > text.length()) {
            return "";
        }
        int from = (int) start - 1;
        String inserted = text(arguments, 3);
        Values.checkLength((long) text.length() + inserted.length());
        return text.substring(0, from) + inserted + text.substring((int) Math.min(text.length(), from + count));
    }

    private static String replaced(Object[] arguments) {
        String text = text(arguments, 0);
        String found = text(arguments, 1);
        String put = text(arguments, 2);
        if (found.isEmpty()) {
            return text;
        }
        checkSearch(text, found);
        long growth = (long) put.length() - found.length();
        if (growth * (text.length() / found.length()) > Values.MOST_UNITS) {
            long units = text.length();
            for (int at = text.indexOf(found); at >= 0; at = text.indexOf(found, at + found.length())) {
                units += growth;
                Values.checkLength(units);
            }
        }
        return text.replace(found, put);
    }

    private static void checkSearch(String text, String found) {
        if ((long) text.length() * found.length() > MOST_COMPARISONS) {
            throw new QueryStopped("To look for " + found.length() + " characters in " + text.length()
                + " would take too long.");
        }
    }

    private static String translated(Object[] arguments) {
        String from = text(arguments, 1);
        String to = text(arguments, 2);
        if (from.length() != to.length()) {
            throw new QueryStopped("There must be as many characters to put in as to replace, not "
                + Values.shown(from) + " and " + Values.shown(to) + ".");
        }
        char[] units = text(arguments, 0).toCharArray();
        for (int at = 0; at < units.length; at++) {
            int place = from.indexOf(units[at]);
            units[at] = place < 0 ? units[at] : to.charAt(place);
        }
        return new String(units);
    }

    private static String repeated(String text, long count) {
        if (count < 0) {
            return null;
        }
        if (!text.isEmpty() && count > Values.MOST_UNITS / text.length()) {
            throw new QueryStopped("A text of " + count + " times " + text.length() + " characters is too long.");
        }
        return text.isEmpty() ? "" : text.repeat((int) count);
    }

    private static Long place(Object[] arguments) {
        long from = arguments.length < 3 ? 1 : Math.max(1, Arguments.count(arguments[2]));
        String found = text(arguments, 0);
        String text = text(arguments, 1);
        checkSearch(text, found);
        // An empty text is nowhere, as in T-SQL.
        return found.isEmpty() ? 0L : text.indexOf(found, (int) from - 1) + 1L;
    }

    private static String character(long code) {
        boolean isCharacter = code >= 0 && code <= LAST_CHARACTER
            && !(code >= Character.MIN_SURROGATE && code <= Character.MAX_SURROGATE);
        return isCharacter ? Character.toString((int) code) : null;
    }

    private static Long code(String text) {
        return text.isEmpty() ? null : (Long) (long) text.codePointAt(0);
    }

    private static String joined(Object[] arguments) {
        StringBuilder joined = new StringBuilder();
        for (Object argument : arguments) {
            if (argument != null) {
                String text = Casts.text(argument);
                Values.checkLength((long) joined.length() + text.length());
                joined.append(text);
            }
        }
        return joined.toString();
    }

    private static String joinedWithSeparator(Object[] arguments) {
        String separator = arguments[0] == null ? "" : text(arguments, 0);
        StringBuilder joined = new StringBuilder();
        boolean isFirst = true;
        for (int place = 1; place < arguments.length; place++) {
            if (arguments[place] != null) {
                String text = text(arguments, place);
                Values.checkLength((long) joined.length() + separator.length() + text.length());
                joined.append(isFirst ? "" : separator).append(text);
                isFirst = false;
            }
        }
        return joined.toString();
    }
}
