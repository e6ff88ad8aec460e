/** A canvas that fills its host's width and is sharp on any screen. */

/** Paints in CSS pixels. */
export type Paint = (context: CanvasRenderingContext2D, width: number, height: number) => void

/** Makes the canvas. What `label` says stands for it where it cannot be seen. */
export function createCanvas(host: HTMLElement, height: number, label: string): { paint(work: Paint): void } {
  const canvas = document.createElement('canvas')
  canvas.setAttribute('role', 'img')
  canvas.setAttribute('aria-label', label)
  canvas.style.width = '100%'
  canvas.style.height = `${height}px`
  host.append(canvas)
  const context = canvas.getContext('2d') as CanvasRenderingContext2D
  return {
    paint: (work) => {
      const [width, scale] = [host.clientWidth, devicePixelRatio]
      if (width === 0) return // hidden
      const [wide, high] = [Math.round(width * scale), Math.round(height * scale)]
      if (canvas.width !== wide || canvas.height !== high) {
        canvas.width = wide
        canvas.height = high
      }
      context.setTransform(scale, 0, 0, scale, 0, 0)
      context.clearRect(0, 0, width, height)
      work(context, width, height)
    },
  }
}
