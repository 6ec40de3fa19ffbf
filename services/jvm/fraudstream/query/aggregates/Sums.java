package fraudstream.query.aggregates;

import fraudstream.query.state.StateReader;
import fraudstream.query.state.StateWriter;

/** SUM and AVG. Bigints are summed exactly. */
final class Sums implements Accumulator {
    // Of few samples the sum is built anew when a float leaves, so that no trace of it is left.
    private static final int FEW = 32;

    private final Place place;
    private final boolean average;
    private long count;
    private long floats;
    private long whole;
    private final Wide rest = new Wide();
    // Whether the bigints' sum has left 64 bits, which only an average survives.
    private boolean isTooLarge;

    Sums(Place place, boolean average) {
        this.place = place;
        this.average = average;
    }

    @Override
    public void add(Object sample) {
        Number number = place.number(sample);
        count++;
        if (number instanceof Double) {
            floats++;
            rest.add(number.doubleValue());
        } else {
            addWhole(number.longValue());
        }
    }

    private void addWhole(long number) {
        long more = whole + number;
        if (((whole ^ more) & (number ^ more)) >= 0) {
            whole = more;
            return;
        }
        isTooLarge = true;
        rest.add((double) whole);
        whole = number;
    }

    @Override
    public boolean remove(Object sample) {
        if (isTooLarge || floats > 0 && (count <= FEW || !rest.isFinite())) {
            return false;
        }
        count--;
        if (sample instanceof Double) {
            floats--;
            rest.add(-(Double) sample);
        } else {
            whole -= (Long) sample;
        }
        return true;
    }

    @Override
    public void merge(Accumulator later) {
        Sums other = (Sums) later;
        count += other.count;
        floats += other.floats;
        rest.add(other.rest);
        isTooLarge |= other.isTooLarge;
        addWhole(other.whole);
    }

    @Override
    public Object result() {
        if (count == 0) {
            return null;
        }
        if (average) {
            return (floats > 0 || isTooLarge ? total() : whole) / count;
        }
        if (isTooLarge && floats == 0) {
            throw place.stopped(place.name() + " is too large for bigint. CAST the value to float.");
        }
        return floats > 0 ? (Object) total() : (Object) whole;
    }

    private double total() {
        Wide total = new Wide();
        total.add(rest);
        total.add(whole);
        return total.value();
    }

    @Override
    public void save(StateWriter to) {
        to.number(count);
        to.number(floats);
        to.number(whole);
        to.flag(isTooLarge);
        rest.save(to);
    }

    @Override
    public void load(StateReader from) {
        count = from.number();
        floats = from.number();
        whole = from.number();
        isTooLarge = from.flag();
        rest.load(from);
    }
}
