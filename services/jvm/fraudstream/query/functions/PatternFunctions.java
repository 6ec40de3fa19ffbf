package fraudstream.query.functions;

import fraudstream.query.values.Casts;
import fraudstream.query.values.LikePattern;
import java.util.Map;

/** Functions that look for a pattern, which each call keeps until it gets another one. */
final class PatternFunctions {
    private PatternFunctions() {
    }

    static void addTo(Map<String, Function> table) {
        Functions.addEach(table, "patindex", 2, Likeness::new);
        Functions.addEach(table, "regexmatch", 2, Match::new);
    }

    private static final class Likeness implements Implementation {
        private LikePattern last;

        @Override
        public Object call(Object[] arguments) {
            LikePattern pattern = LikePattern.of(last, Casts.text(arguments[0]), null);
            last = pattern;
            return (long) pattern.find(Casts.text(arguments[1]));
        }
    }

    private static final class Match implements Implementation {
        private RegularExpression last;

        @Override
        public Object call(Object[] arguments) {
            RegularExpression expression = RegularExpression.of(last, Casts.text(arguments[1]));
            last = expression;
            return (long) expression.find(Casts.text(arguments[0]));
        }
    }
}
