package fraudstream.contract;

import java.nio.charset.StandardCharsets;

/**
 * The tokens of a JSON text (RFC 8259) in valid UTF-8, one by one. NaN and the infinities are tokens too, to be refused
 * by name. There is no other token that the standard lacks.
 */
final class Tokens {
    /** What a token is; of an object and of a list only the beginning is one. */
    enum Token { BROKEN, TEXT, INTEGER, FRACTION, TRUTH, NULL, NOT_FINITE, OBJECT, LIST }

    private static final byte[] TRUE = Contract.ascii("true");
    private static final byte[] FALSE = Contract.ascii("false");
    private static final byte[] NOTHING = Contract.ascii("null");
    private static final byte[][] NOT_NUMBERS = {
        Contract.ascii("NaN"), Contract.ascii("Infinity"), Contract.ascii("-Infinity")};

    final byte[] value;
    int at;
    /** Where the token that was taken last begins and ends; a text's quotes are outside. */
    int from;
    int until;
    /** Whether a text so far had a surrogate without its other half. */
    boolean halfCharacter;
    /** The last text where it has escapes, else null. */
    private String unescaped;

    Tokens(byte[] value) {
        this.value = value;
    }

    void skipSpace() {
        while (at < value.length && (value[at] == ' ' || value[at] == '\n' || value[at] == '\r' || value[at] == '\t')) {
            at++;
        }
    }

    boolean take(char wanted) {
        if (at < value.length && value[at] == wanted) {
            at++;
            return true;
        }
        return false;
    }

    /** Takes a scalar, or the beginning of an object or a list, and returns its kind. */
    Token next() {
        if (at == value.length) {
            return Token.BROKEN;
        }
        byte first = value[at];
        if (first == '"') {
            return takeText() ? Token.TEXT : Token.BROKEN;
        }
        from = at;
        if (first == '{' || first == '[') {
            at++;
            until = at;
            return first == '{' ? Token.OBJECT : Token.LIST;
        }
        if (first >= '0' && first <= '9' || first == '-' && at + 1 < value.length && value[at + 1] != 'I') {
            return takeNumber();
        }
        if (takeWord(TRUE) || takeWord(FALSE)) {
            return Token.TRUTH;
        }
        if (takeWord(NOTHING)) {
            return Token.NULL;
        }
        for (byte[] word : NOT_NUMBERS) {
            if (takeWord(word)) {
                return Token.NOT_FINITE;
            }
        }
        return Token.BROKEN;
    }

    private boolean takeWord(byte[] word) {
        if (!stands(word, value, at)) {
            return false;
        }
        at += word.length;
        until = at;
        return true;
    }

    /** Whether the word stands at a place of the value; words are short: this is faster than a comparison of ranges. */
    static boolean stands(byte[] word, byte[] value, int at) {
        if (at + word.length > value.length) {
            return false;
        }
        for (int place = 0; place < word.length; place++) {
            if (value[at + place] != word[place]) {
                return false;
            }
        }
        return true;
    }

    private Token takeNumber() {
        take('-');
        if (!take('0') && !takeDigits()) {
            return Token.BROKEN;
        }
        Token kind = Token.INTEGER;
        // A point or an exponent without digits is not part of the number, and may not follow it.
        if (at + 1 < value.length && value[at] == '.' && isDigit(at + 1)) {
            at++;
            takeDigits();
            kind = Token.FRACTION;
        }
        if (at < value.length && (value[at] == 'e' || value[at] == 'E')) {
            int digits = at + 1;
            if (digits < value.length && (value[digits] == '+' || value[digits] == '-')) {
                digits++;
            }
            if (digits < value.length && isDigit(digits)) {
                at = digits;
                takeDigits();
                kind = Token.FRACTION;
            }
        }
        until = at;
        return kind;
    }

    private boolean takeDigits() {
        int start = at;
        while (at < value.length && isDigit(at)) {
            at++;
        }
        return at > start;
    }

    private boolean isDigit(int place) {
        return value[place] >= '0' && value[place] <= '9';
    }

    /** Takes a text, which begins here. */
    boolean takeText() {
        if (!take('"')) {
            return false;
        }
        from = at;
        boolean escapes = false;
        while (at < value.length && value[at] != '"') {
            if (value[at] >= 0 && value[at] < ' ') {
                return false;
            }
            if (value[at] == '\\') {
                escapes = true;
                at++;
            }
            at++;
        }
        // A backslash at the very end has moved the position one too far.
        at = Math.min(at, value.length);
        until = at;
        unescaped = null;
        if (!take('"')) {
            return false;
        }
        return !escapes || unescape();
    }

    private boolean unescape() {
        StringBuilder text = new StringBuilder(until - from);
        int start = from;
        boolean surrogates = false;
        for (int place = from; place < until; place++) {
            if (value[place] != '\\') {
                continue;
            }
            text.append(new String(value, start, place - start, StandardCharsets.UTF_8));
            place++;
            int escape = "\"\\/bfnrt".indexOf(value[place] & 0xff);
            if (escape >= 0) {
                text.append("\"\\/\b\f\n\r\t".charAt(escape));
            } else {
                int code = value[place] == 'u' && place + 4 < until ? hexadecimal(place + 1) : -1;
                if (code < 0) {
                    return false;
                }
                surrogates |= code >= 0xd800 && code <= 0xdfff;
                text.append((char) code);
                place += 4;
            }
            start = place + 1;
        }
        text.append(new String(value, start, until - start, StandardCharsets.UTF_8));
        unescaped = text.toString();
        halfCharacter |= surrogates && Texts.hasHalfCharacter(unescaped);
        return true;
    }

    /** The number of four hexadecimal digits, or -1. */
    private int hexadecimal(int start) {
        int number = 0;
        for (int place = start; place < start + 4; place++) {
            int digit = value[place] < 0 ? -1 : Character.digit((char) value[place], 16);
            if (digit < 0) {
                return -1;
            }
            number = number * 16 + digit;
        }
        return number;
    }

    /** The text that was taken last. */
    String text() {
        return unescaped != null ? unescaped : new String(value, from, until - from, StandardCharsets.UTF_8);
    }

    /** Its length as UTF-8. */
    int textBytes() {
        return unescaped != null ? unescaped.getBytes(StandardCharsets.UTF_8).length : until - from;
    }

    /** How many objects and lists are open at once at most, whether the text is JSON or not. */
    static int depth(byte[] value) {
        int depth = 0;
        int most = 0;
        boolean text = false;
        for (int at = 0; at < value.length; at++) {
            byte character = value[at];
            if (text) {
                if (character == '\\') {
                    at++;
                } else if (character == '"') {
                    text = false;
                }
            } else if (character == '"') {
                text = true;
            } else if (character == '{' || character == '[') {
                depth++;
                most = Math.max(most, depth);
            } else if (character == '}' || character == ']') {
                depth--;
            }
        }
        return most;
    }
}
