// Places for a graph whose edges lead forward: layers by the longest way from the start, edges over
// several layers by points between. Edges to one node share their points.
const kLetter = 6.7;
const kLineHeight = 16;
const kGap = 26;
const kLayerGap = 46;
// Exits of a node that have words beside them; of more, those that are lit.
const kLabelled = 9;
const kLabelRoom = 72;

function layersOf(graph) {
  const layer = graph.nodes.map(() => 0);
  for (const node of graph.nodes) {
    for (const exit of node.exits) layer[exit.node] = Math.max(layer[exit.node], layer[node.id] + 1);
  }
  return layer;
}

// Items are nodes and points; null where there are more than `most`.
function itemsOf(graph, most) {
  const layer = layersOf(graph);
  const items = graph.nodes.map((node) => ({
    node, layer: layer[node.id], up: [], down: [],
    width: Math.max(70, 20 + kLetter * Math.max(...node.lines.map((line) => line.length)),
      node.exits.length > 2 && node.exits.length <= kLabelled ? node.exits.length * kLabelRoom : 0),
    height: 14 + kLineHeight * node.lines.length,
  }));
  const points = new Map();
  for (const node of graph.nodes) {
    for (const exit of node.exits) {
      exit.route = [items[node.id]];
      for (let l = layer[node.id] + 1; l < layer[exit.node]; ++l) {
        const key = exit.node * 100000 + l;
        if (!points.has(key)) {
          if (items.length >= most) return null;
          const point = { layer: l, up: [], down: [], width: 10, height: 0 };
          points.set(key, point);
          items.push(point);
        }
        exit.route.push(points.get(key));
      }
      exit.route.push(items[exit.node]);
      for (let i = 0; i + 1 < exit.route.length; ++i) {
        const [a, b] = [exit.route[i], exit.route[i + 1]];
        if (a.down.includes(b)) continue;
        a.down.push(b);
        b.up.push(a);
      }
    }
  }
  return items;
}

function orderLayers(layers) {
  const number = () => layers.forEach((layer) => layer.forEach((item, i) => { item.order = i; }));
  number();
  const sort = (layer, side) => {
    for (const item of layer) {
      const near = item[side];
      item.weight = near.length === 0 ? item.order : near.reduce((sum, each) => sum + each.order, 0) / near.length;
    }
    layer.sort((a, b) => a.weight - b.weight);
    layer.forEach((item, i) => { item.order = i; });
  };
  for (let sweep = 0; sweep < 8; ++sweep) {
    if (sweep % 2 === 0) for (let l = 1; l < layers.length; ++l) sort(layers[l], "up");
    else for (let l = layers.length - 2; l >= 0; --l) sort(layers[l], "down");
  }
}

// Moves the items of a layer as near as can be to where they want to be, in their order.
function settle(layer) {
  const apart = (a, b) => (a.width + b.width) / 2 + (a.node && b.node ? kGap : 14);
  const right = [];
  const left = [];
  layer.forEach((item, i) => {
    right[i] = i === 0 ? item.want : Math.max(item.want, right[i - 1] + apart(layer[i - 1], item));
  });
  for (let i = layer.length - 1; i >= 0; --i) {
    left[i] = i === layer.length - 1 ? layer[i].want : Math.min(layer[i].want, left[i + 1] - apart(layer[i], layer[i + 1]));
  }
  layer.forEach((item, i) => { item.x = (right[i] + left[i]) / 2; });
}

function placeAcross(layers) {
  for (const layer of layers) {
    let x = 0;
    for (const item of layer) {
      item.want = x + item.width / 2;
      x += item.width + kGap;
    }
    layer.forEach((item) => { item.want -= x / 2; });
    settle(layer);
  }
  for (let sweep = 0; sweep < 14; ++sweep) {
    const side = sweep % 2 === 0 ? "up" : "down";
    for (const layer of side === "up" ? layers : [...layers].reverse()) {
      for (const item of layer) {
        const near = item[side].length > 0 ? item[side] : item[side === "up" ? "down" : "up"];
        item.want = near.length === 0 ? item.x : near.reduce((sum, each) => sum + each.x, 0) / near.length;
      }
      settle(layer);
    }
  }
}

// The graph with places, or null where it has more nodes and points than `most`.
function laidOut(graph, most) {
  const items = itemsOf(graph, most);
  if (items === null) return null;
  const layers = [];
  for (const item of items) (layers[item.layer] ??= []).push(item);
  orderLayers(layers);
  placeAcross(layers);
  let y = 16;
  for (const layer of layers) {
    const height = Math.max(...layer.map((item) => item.height));
    for (const item of layer) {
      item.top = y;
      item.bottom = item.node ? y + item.height : y + height;
    }
    y += height + kLayerGap;
  }
  const low = Math.min(...items.map((item) => item.x - item.width / 2)) - 20;
  for (const item of items) item.x -= low;
  return { items, width: Math.max(...items.map((item) => item.x + item.width / 2)) + 20, height: y - kLayerGap + 16 };
}
