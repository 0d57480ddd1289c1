"""What the voices read, written for this project and under its licence: ten sentences in each language."""

from __future__ import annotations

SPANISH = """
La niña juega con el perro en el jardín de su abuela.
Mañana por la mañana iremos al mercado a comprar fruta fresca.
El tren de las ocho llegó con veinte minutos de retraso.
Mi hermano trabaja en una panadería cerca de la plaza mayor.
¿Puedes cerrar la ventana, por favor? Hace mucho frío aquí dentro.
Los pescadores volvieron al puerto antes de que empezara la tormenta.
Nunca había visto tantas estrellas en el cielo como aquella noche.
El médico le recomendó descansar y beber mucha agua durante una semana.
Guardamos las cartas viejas en una caja de madera debajo de la cama.
La profesora explicó la lección dos veces para que todos la entendieran.
"""

FRENCH = """
Le petit garçon cherche son chapeau rouge dans le jardin.
Demain matin, nous irons au marché pour acheter du pain frais.
Le train de huit heures est arrivé avec vingt minutes de retard.
Ma sœur travaille dans une librairie près de la grande place.
Pouvez-vous fermer la fenêtre, s'il vous plaît ? Il fait très froid ici.
Les pêcheurs sont rentrés au port avant le début de la tempête.
Je n'avais jamais vu autant d'étoiles dans le ciel que cette nuit-là.
Le médecin lui a conseillé de se reposer et de boire beaucoup d'eau.
Nous gardons les vieilles lettres dans une boîte en bois sous le lit.
La maîtresse a expliqué la leçon deux fois pour que tout le monde comprenne.
"""

ITALIAN = """
La bambina gioca con il cane nel giardino della nonna.
Domani mattina andremo al mercato a comprare la frutta fresca.
Il treno delle otto è arrivato con venti minuti di ritardo.
Mio fratello lavora in una panetteria vicino alla piazza grande.
Puoi chiudere la finestra, per favore? Qui dentro fa molto freddo.
I pescatori sono tornati al porto prima che cominciasse la tempesta.
Non avevo mai visto così tante stelle nel cielo come quella notte.
Il medico gli ha consigliato di riposare e di bere molta acqua.
Conserviamo le vecchie lettere in una scatola di legno sotto il letto.
La maestra ha spiegato la lezione due volte perché tutti la capissero.
"""

JAPANESE = """
女の子はおばあさんの庭で犬と遊んでいます。
明日の朝、新しい果物を買いに市場へ行きます。
八時の電車は二十分遅れて到着しました。
兄は大きな広場の近くのパン屋で働いています。
窓を閉めてください。ここはとても寒いです。
漁師たちは嵐が始まる前に港に帰りました。
あの夜ほどたくさんの星を見たことはありません。
医者は彼に、休んで水をたくさん飲むように言いました。
古い手紙はベッドの下の木の箱にしまってあります。
先生はみんなが分かるように、授業を二回説明しました。
"""

ENGLISH = """
The little girl plays with the dog in her grandmother's garden.
Tomorrow morning we will go to the market to buy fresh fruit.
The eight o'clock train arrived with a delay of twenty minutes.
My brother works in a bakery close to the main square.
Could you close the window, please? It is very cold in here.
The fishermen came back to the harbour before the storm began.
I had never seen as many stars in the sky as on that night.
The doctor told him to rest and to drink a lot of water.
We keep the old letters in a wooden box under the bed.
The teacher explained the lesson twice so that everybody would understand it.
"""
