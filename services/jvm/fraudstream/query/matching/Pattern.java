package fraudstream.query.matching;

import com.fasterxml.jackson.databind.JsonNode;
import fraudstream.query.values.QueryStopped;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A pattern of variables: what it takes of a row of rows, as much as it can. */
final class Pattern {
    // Tries of one match; patterns such as (A* A*)* have more ways than anybody can wait for.
    private static final int MOST_TRIES = 1_000_000;

    private final List<Move> moves = new ArrayList<>();
    private int loops;

    private enum Kind { ROW, EITHER, GO, ENTER, AGAIN }

    /** One move: take a row as a variable, go on at either place, at one, or begin or end a turn of a loop. */
    private record Move(Kind kind, String name, int first, int second) {
    }

    /** The rows that were taken so far, the last one first: its place and its variable, null for the dot. */
    record Taken(Taken before, int row, String name) {
    }

    /** Whether a row may be taken as a variable after other rows. */
    interface Test {
        boolean takes(Taken before, int row, String name);
    }

    private record Try(int move, int row, Taken taken, int[] turns) {
    }

    Pattern(JsonNode described) {
        add(described);
    }

    private void add(JsonNode part) {
        JsonNode parts = part.path("parts");
        switch (part.get("kind").asText()) {
            case "row" -> moves.add(new Move(Kind.ROW, part.path("name").textValue(), 0, 0));
            case "sequence" -> parts.forEach(this::add);
            case "choice" -> addChoice(parts);
            default -> addRepeat(parts.get(0), part.get("quantifier").asText());
        }
    }

    private void addChoice(JsonNode parts) {
        List<Integer> ends = new ArrayList<>();
        for (int at = 0; at < parts.size(); at++) {
            int either = moves.size();
            boolean last = at == parts.size() - 1;
            if (!last) {
                moves.add(null);
            }
            add(parts.get(at));
            if (!last) {
                ends.add(moves.size());
                moves.add(null);
                moves.set(either, new Move(Kind.EITHER, null, either + 1, moves.size()));
            }
        }
        for (int end : ends) {
            moves.set(end, new Move(Kind.GO, null, moves.size(), 0));
        }
    }

    private void addRepeat(JsonNode part, String quantifier) {
        if (quantifier.equals("+")) {
            add(part);
        }
        int either = moves.size();
        moves.add(null);
        if (quantifier.equals("?")) {
            add(part);
        } else {
            int loop = loops++;
            moves.add(new Move(Kind.ENTER, null, loop, 0));
            add(part);
            moves.add(new Move(Kind.AGAIN, null, loop, either));
        }
        moves.set(either, new Move(Kind.EITHER, null, either + 1, moves.size()));
    }

    /** The rows that the pattern takes of the first {@code count}, from the first one on; null if it takes none. */
    Taken match(int count, Test test) {
        ArrayDeque<Try> open = new ArrayDeque<>();
        open.push(new Try(0, 0, null, new int[loops]));
        for (int tries = 0; !open.isEmpty(); tries++) {
            if (tries > MOST_TRIES) {
                throw new QueryStopped("The pattern has too many ways to match " + count + " rows. Write it simpler.");
            }
            Try one = open.pop();
            if (one.move == moves.size()) {
                return one.taken;
            }
            Move move = moves.get(one.move);
            int next = one.move + 1;
            switch (move.kind) {
                case ROW -> {
                    if (one.row < count && test.takes(one.taken, one.row, move.name)) {
                        open.push(new Try(next, one.row + 1, new Taken(one.taken, one.row, move.name), one.turns));
                    }
                }
                case EITHER -> {
                    open.push(new Try(move.second, one.row, one.taken, one.turns));
                    open.push(new Try(move.first, one.row, one.taken, one.turns));
                }
                case GO -> open.push(new Try(move.first, one.row, one.taken, one.turns));
                case ENTER -> {
                    int[] turns = Arrays.copyOf(one.turns, loops);
                    turns[move.first] = one.row;
                    open.push(new Try(next, one.row, one.taken, turns));
                }
                default -> {
                    // A turn that took no row would go on for ever.
                    boolean moved = one.turns[move.first] < one.row;
                    open.push(new Try(moved ? move.second : next, one.row, one.taken, one.turns));
                }
            }
        }
        return null;
    }
}
