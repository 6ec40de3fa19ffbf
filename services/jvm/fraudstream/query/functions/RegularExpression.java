package fraudstream.query.functions;

import fraudstream.query.values.QueryStopped;
import fraudstream.query.values.Values;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/** A regular expression of ECMAScript without flags but for the case, which does not count. */
final class RegularExpression {
    private final String text;
    private final Pattern pattern;

    private RegularExpression(String text) {
        this.text = text;
        Pattern compiled = null;
        try {
            compiled = Pattern.compile(
                EcmaPattern.translated(text), Pattern.CASE_INSENSITIVE | Pattern.UNICODE_CASE);
        } catch (PatternSyntaxException | StackOverflowError error) {
            compiled = null;
        }
        pattern = compiled;
    }

    static RegularExpression of(RegularExpression last, String text) {
        return last != null && last.text.equals(text) ? last : new RegularExpression(text);
    }

    /** Where the first match begins, from 1; 0 for none and for an invalid expression. */
    int find(String value) {
        if (pattern == null) {
            return 0;
        }
        try {
            Matcher matcher = pattern.matcher(new Watched(value));
            return matcher.find() ? matcher.start() + 1 : 0;
        } catch (StackOverflowError | Watched.Exhausted error) {
            throw new QueryStopped("The regular expression '" + Values.beginning(text)
                + "' takes too long for the text '" + Values.beginning(value)
                + "'. Write it without nested repetitions.");
        }
    }

    /** A text that counts how often it is looked at, which grows with each way that is tried. */
    private static final class Watched implements CharSequence {
        private static final int MOST_LOOKS = 20_000_000;

        private final String text;
        private int looks;

        /** The text was looked at too often. */
        static final class Exhausted extends RuntimeException {
            private static final long serialVersionUID = 1L;

            Exhausted() {
                super(null, null, false, false);
            }
        }

        Watched(String text) {
            this.text = text;
        }

        @Override
        public char charAt(int place) {
            if (++looks > MOST_LOOKS) {
                throw new Exhausted();
            }
            return text.charAt(place);
        }

        @Override
        public int length() {
            return text.length();
        }

        @Override
        public CharSequence subSequence(int from, int until) {
            return text.subSequence(from, until);
        }

        @Override
        public String toString() {
            return text;
        }
    }
}
