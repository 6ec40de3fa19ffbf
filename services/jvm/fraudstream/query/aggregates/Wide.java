package fraudstream.query.aggregates;

import fraudstream.query.state.StateReader;
import fraudstream.query.state.StateWriter;
import fraudstream.query.state.Stateful;

/** A sum of floats with the digits that a float loses, after A. Neumaier. */
final class Wide implements Stateful {
    private double sum;
    private double lost;

    void add(double value) {
        double more = sum + value;
        lost += Math.abs(sum) >= Math.abs(value) ? sum - more + value : value - more + sum;
        sum = more;
    }

    void add(Wide other) {
        add(other.sum);
        lost += other.lost;
    }

    /** Infinities and NaN hide what is left when they leave. */
    boolean isFinite() {
        return Double.isFinite(sum);
    }

    double value() {
        return isFinite() ? sum + lost : sum;
    }

    @Override
    public void save(StateWriter to) {
        to.real(sum);
        to.real(lost);
    }

    @Override
    public void load(StateReader from) {
        sum = from.real();
        lost = from.real();
    }
}
