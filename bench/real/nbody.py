# nbody.py - planets in pure Python: floats, lists, attribute-free loops
def run(n):
    bodies = [[0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 39.47], [4.84, -1.16, -0.10, 0.60, 2.81, -0.02, 0.037],
              [8.34, 4.12, -0.40, -1.01, 1.82, 0.008, 0.011], [12.89, -15.11, -0.22, 1.08, 0.86, -0.01, 0.0017]]
    for _ in range(n):
        for i, a in enumerate(bodies):
            for b in bodies[i + 1:]:
                dx, dy, dz = a[0] - b[0], a[1] - b[1], a[2] - b[2]
                m = 0.01 / ((dx * dx + dy * dy + dz * dz) ** 1.5)
                for k, d in ((3, dx), (4, dy), (5, dz)):
                    a[k] -= d * b[6] * m
                    b[k] += d * a[6] * m
        for a in bodies:
            a[0] += 0.01 * a[3]
            a[1] += 0.01 * a[4]
            a[2] += 0.01 * a[5]
    print('%.6f' % sum(b[0] for b in bodies))


run(60000)
