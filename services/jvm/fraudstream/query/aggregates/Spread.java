package fraudstream.query.aggregates;

import fraudstream.query.state.StateReader;
import fraudstream.query.state.StateWriter;

/** STDEV, STDEVP, VAR and VARP, by B. P. Welford's running mean and sum of squares. */
final class Spread implements Accumulator {
    private final Place place;
    private final boolean population;
    private final boolean root;
    private long count;
    private double mean;
    private double squares;

    Spread(Place place, boolean population, boolean root) {
        this.place = place;
        this.population = population;
        this.root = root;
    }

    @Override
    public void add(Object sample) {
        double value = place.number(sample).doubleValue();
        count++;
        double distance = value - mean;
        mean += distance / count;
        squares += distance * (value - mean);
    }

    @Override
    public boolean remove(Object sample) {
        return false;
    }

    @Override
    public void merge(Accumulator later) {
        Spread other = (Spread) later;
        if (other.count == 0) {
            return;
        }
        long both = count + other.count;
        double distance = other.mean - mean;
        squares += other.squares + distance * distance * count / both * other.count;
        mean += distance * other.count / both;
        count = both;
    }

    @Override
    public Object result() {
        long divisor = population ? count : count - 1;
        if (divisor < 1) {
            return null;
        }
        double variance = squares / divisor;
        return root ? Math.sqrt(variance) : variance;
    }

    @Override
    public void save(StateWriter to) {
        to.number(count);
        to.real(mean);
        to.real(squares);
    }

    @Override
    public void load(StateReader from) {
        count = from.number();
        mean = from.real();
        squares = from.real();
    }
}
