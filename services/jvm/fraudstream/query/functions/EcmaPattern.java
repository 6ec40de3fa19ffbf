package fraudstream.query.functions;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.regex.PatternSyntaxException;

/**
 * Writes a regular expression of ECMAScript, without its flags u and v, in the words of java.util.regex. One difference
 * stays: a reference to a group that took no part in the match fits nowhere, instead of everywhere.
 */
final class EcmaPattern {
    private static final String SPACES =
        "\\t\\n\\x0b\\f\\r \\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff";
    private static final String WORD = "[0-9A-Za-z_]";
    private static final String NEVER = "(?!)";
    private static final String ANY = "[\\s\\S]";
    private static final String ANY_BUT_LINE_ENDS = "[^\\n\\r\\u2028\\u2029]";
    private static final int LAST_OCTAL = 255;

    private final String text;
    private final StringBuilder to = new StringBuilder();
    private final int groups;
    private final boolean hasNames;
    /** Whether each open group looks behind: such a one cannot be repeated. */
    private final Deque<Boolean> open = new ArrayDeque<>();
    private int at;
    private boolean canRepeat;

    private EcmaPattern(String text) {
        this.text = text;
        int counted = 0;
        boolean isInSet = false;
        for (int place = 0; place < text.length(); place++) {
            char unit = text.charAt(place);
            place += unit == '\\' ? 1 : 0;
            isInSet = unit == '[' || isInSet && unit != ']';
            counted += unit == '(' && !isInSet && (!text.startsWith("(?", place) || isNamed(text, place)) ? 1 : 0;
        }
        groups = counted;
        hasNames = text.contains("(?<") && text.matches("(?s).*\\(\\?<[^=!].*");
    }

    /** Throws {@link PatternSyntaxException} for what is no such expression. */
    static String translated(String text) {
        EcmaPattern pattern = new EcmaPattern(text);
        while (pattern.at < text.length()) {
            pattern.next();
        }
        return pattern.to.toString();
    }

    private static boolean isNamed(String text, int place) {
        return text.startsWith("(?<", place) && !text.startsWith("(?<=", place) && !text.startsWith("(?<!", place);
    }

    private void next() {
        char unit = text.charAt(at++);
        switch (unit) {
            case '\\' -> escape();
            case '[' -> set();
            case '(' -> group();
            case ')' -> {
                Boolean looksBehind = open.poll();
                write(")", looksBehind != null && !looksBehind);
            }
            case '|' -> write("|", false);
            case '^' -> write("^", false);
            case '$' -> write("\\z", false);
            case '.' -> write(ANY_BUT_LINE_ENDS, true);
            case '*', '+', '?' -> repetition(String.valueOf(unit));
            case '{' -> brace();
            case '}', ']' -> write("\\" + unit, true);
            default -> write(String.valueOf(unit), true);
        }
    }

    private void write(String translated, boolean mayRepeat) {
        to.append(translated);
        canRepeat = mayRepeat;
    }

    private PatternSyntaxException refused(String reason) {
        return new PatternSyntaxException(reason, text, at);
    }

    private void repetition(String quantifier) {
        if (!canRepeat) {
            throw refused("Nothing to repeat");
        }
        boolean isLazy = text.startsWith("?", at);
        at += isLazy ? 1 : 0;
        write(isLazy ? quantifier + "?" : quantifier, false);
    }

    private void brace() {
        int end = text.indexOf('}', at);
        String inside = end < 0 ? "" : text.substring(at, end);
        if (inside.matches("[0-9]{1,9}(,[0-9]{0,9})?")) {
            at = end + 1;
            repetition("{" + inside + "}");
        } else {
            write("\\{", true);
        }
    }

    private void group() {
        boolean looksBehind = text.startsWith("?<=", at) || text.startsWith("?<!", at);
        boolean isKnown = !text.startsWith("?", at) || text.startsWith("?:", at) || text.startsWith("?=", at)
            || text.startsWith("?!", at) || text.startsWith("?<", at);
        if (!isKnown) {
            throw refused("No group of ECMAScript");
        }
        open.push(looksBehind);
        int end = !text.startsWith("?", at) ? at : text.startsWith("?<", at) && !looksBehind ? text.indexOf('>', at) + 1
            : at + (looksBehind ? 3 : 2);
        write("(" + text.substring(at, Math.max(at, end)), false);
        at = Math.max(at, end);
    }

    private void set() {
        if (text.startsWith("]", at) || text.startsWith("^]", at)) {
            boolean isEmpty = text.startsWith("]", at);
            at += isEmpty ? 1 : 2;
            write(isEmpty ? NEVER : ANY, true);
            return;
        }
        to.append('[');
        if (text.startsWith("^", at)) {
            to.append('^');
            at++;
        }
        while (at < text.length() && text.charAt(at) != ']') {
            char unit = text.charAt(at++);
            if (unit == '\\' && at < text.length()) {
                escapeInSet();
            } else {
                // Java knows sets within sets and intersections.
                to.append("[&^".indexOf(unit) >= 0 ? "\\" : "").append(unit);
            }
        }
        if (at == text.length()) {
            throw refused("A set without an end");
        }
        at++;
        write("]", true);
    }

    private void escapeInSet() {
        char letter = text.charAt(at);
        if (letter == 's' || letter == 'b') {
            at++;
            to.append(letter == 's' ? SPACES : "\\x08");
        } else if (letter == 'S') {
            at++;
            to.append("[^").append(SPACES).append(']');
        } else {
            character();
        }
    }

    private void escape() {
        if (at == text.length()) {
            throw refused("A backslash at the end");
        }
        char letter = text.charAt(at);
        if (letter == 's' || letter == 'S') {
            at++;
            write((letter == 's' ? "[" : "[^") + SPACES + "]", true);
        } else if (letter == 'b' || letter == 'B') {
            at++;
            String same = letter == 'b' ? "!" : "=";
            String other = letter == 'b' ? "=" : "!";
            write("(?:(?<=" + WORD + ")(?" + same + WORD + ")|(?<!" + WORD + ")(?" + other + WORD + "))", false);
        } else if (letter >= '1' && letter <= '9' && number() <= groups) {
            int digits = Integer.toString(number()).length();
            write("(?:\\" + text.substring(at, at + digits) + ")", true);
            at += digits;
        } else if (letter == 'k' && hasNames) {
            int end = text.indexOf('>', at) + 1;
            write("\\" + text.substring(at, Math.max(at + 1, end)), true);
            at = Math.max(at + 1, end);
        } else {
            character();
            canRepeat = true;
        }
    }

    /** The decimal number at this place; a large one for many digits. */
    private int number() {
        int number = 0;
        for (int place = at; place < text.length() && Character.digit(text.charAt(place), 10) >= 0; place++) {
            number = Math.min(1_000_000, number * 10 + text.charAt(place) - '0');
        }
        return number;
    }

    /** An escape that means the same within a set and outside of it. */
    private void character() {
        char letter = text.charAt(at++);
        if ("dDwWtnrf".indexOf(letter) >= 0) {
            to.append('\\').append(letter);
        } else if (letter == 'v') {
            to.append("\\x0b");
        } else if (letter == 'c') {
            control();
        } else if (letter == 'x' || letter == 'u') {
            code(letter, letter == 'x' ? 2 : 4);
        } else if (letter >= '0' && letter <= '7') {
            octal();
        } else {
            to.append(Character.isLetterOrDigit(letter) || Character.isSurrogate(letter) ? "" : "\\").append(letter);
        }
    }

    private void control() {
        boolean isControl = at < text.length() && Character.toString(text.charAt(at)).matches("[A-Za-z]");
        if (isControl) {
            to.append(String.format("\\x%02x", text.charAt(at++) % 32));
        } else {
            to.append("\\\\c");
        }
    }

    private void code(char letter, int digits) {
        int end = at + digits;
        if (end <= text.length() && text.substring(at, end).matches("[0-9A-Fa-f]+")) {
            to.append('\\').append(letter).append(text, at, end);
            at = end;
        } else {
            to.append(letter);
        }
    }

    private void octal() {
        int code = text.charAt(at - 1) - '0';
        for (int digits = 1; digits < 3 && at < text.length(); digits++) {
            int digit = text.charAt(at) - '0';
            if (digit < 0 || digit > 7 || code * 8 + digit > LAST_OCTAL) {
                break;
            }
            code = code * 8 + digit;
            at++;
        }
        to.append(String.format("\\x%02x", code));
    }
}
