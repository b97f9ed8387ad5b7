"""Tables over what `tensorial search --compare --json` wrote of several networks: structures.py FOLDER. Kernels of 3x3 alone."""
import collections, glob, json, os, sys

means = collections.defaultdict(dict)   # (rate, form) -> network -> mean relative error
pooled = collections.defaultdict(list)  # (rate, what) -> errors
wins = collections.Counter()            # (rate, form) -> kernels
counts = {}
for path in sorted(glob.glob(os.path.join(sys.argv[1], '*.json'))):
    network = os.path.basename(path)[:-5]
    kernels = [l for l in json.load(open(path))['layers'] if l['shape'][2:] == [3, 3]]
    if not kernels:
        continue
    counts[network] = len(kernels)
    for rate in sorted({f['rate'] for l in kernels for f in l['forms']}, reverse=True):
        errors = collections.defaultdict(list)
        for layer in kernels:
            forms = [f for f in layer['forms'] if f['rate'] == rate and f['kind'] != 'foldedTree']
            name = lambda f: {'tree': 'best tree', 'sum': 'best sum'}.get(f['kind'], f['format'])
            own = {}
            for f in forms:
                own[name(f)] = min(own.get(name(f), 1), f['fittedError'])
            named = [f['fittedError'] for f in forms if f['kind'] == 'named']
            if not forms or not named:
                continue
            pooled[rate, 'named'].append(min(named))
            pooled[rate, 'all'].append(min(f['fittedError'] for f in forms))
            wins[rate, min(own, key=own.get)] += 1
            for form, error in own.items():
                errors[form].append(error)
        for form, list_ in errors.items():
            # A form that a kernel has not at the rate keeps nothing of it.
            means[rate, form][network] = (sum(list_) + len(kernels) - len(list_)) / len(kernels)

for rate in sorted({rate for rate, _ in pooled}, reverse=True):
    networks = sorted({n for (r, _), own in means.items() if r == rate for n in own})
    print(f'\nrate {rate}: {len(pooled[rate, "all"])} kernels of 3x3 in {len(networks)} networks')
    print(f'  mean relative error of the best of the formats named {sum(pooled[rate, "named"]) / len(pooled[rate, "named"]):.4f}, '
          f'of everything {sum(pooled[rate, "all"]) / len(pooled[rate, "all"]):.4f}')
    rows = sorted((form for r, form in means if r == rate), key=lambda form: sum(means[rate, form].values()) / len(means[rate, form]))
    print('| form | mean of networks | best of kernels | ' + ' | '.join(f'{n} ({counts[n]})' for n in networks) + ' |')
    print('|---|--:|--:|' + '--:|' * len(networks))
    for form in rows:
        own = means[rate, form]
        print(f'| {form} | {sum(own.values()) / len(own):.3f} | {wins[rate, form]} | '
              + ' | '.join(f'{own[n]:.3f}' if n in own else '' for n in networks) + ' |')
